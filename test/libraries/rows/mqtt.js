import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/mqtt/client.js';
import { startServer } from '../../../examples/mqtt/server.js';
import { mqttCases } from '../shared/mqtt-cases.js';

export default {
  library: 'mqtt',
  with: ['aedes'],
  page: 'mqtt',
  side: 'client and server',
  plug: [
    'mqtt.connect(url, { createWebsocket: (to, protocols) => new WebSocket(to, protocols) })',
    'broker.handle(createWebSocketStream(socket), request)',
  ],
  words: ['\u0000\u0004MQTT\u0004', 'home/kitchen'],
  start: () => startServer(0),
  cases: {
    async 'the example: a sensor and a display'({ url, secret }) {
      const text = secret('temperature');
      assert.deepEqual(await runClient(url, text), [`home/kitchen/temperature: ${text}`]);
    },
    ...mqttCases(connect),
  },
};
