import mqtt from 'mqtt';
import { PQWebSocket } from 'pq-websocket';
import { startServer } from '../../../examples/mqtt/server.js';
import { mqttCases } from '../shared/mqtt-cases.js';

const connect = (url, options = {}) =>
  mqtt.connectAsync(url, {
    forceNativeWebSocket: true,
    createWebsocket: (to, protocols) => new PQWebSocket(to, protocols),
    ...options,
  });

export default {
  library: 'mqtt',
  page: 'mqtt',
  side: 'client',
  plug: [
    'mqtt.connect(url, { forceNativeWebSocket: true, createWebsocket: (to, protocols) => new PQWebSocket(to, protocols) })',
  ],
  words: ['\u0000\u0004MQTT\u0004'],
  start: () => startServer(0),
  cases: mqttCases(connect),
};
