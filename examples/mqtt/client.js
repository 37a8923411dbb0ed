import mqtt from 'mqtt';
import { WebSocket } from 'pq-websocket/ws';
// In a browser: createWebsocket: (url, protocols) => new PQWebSocket(url, protocols)

export async function connect(url, options = {}) {
  return mqtt.connectAsync(url, { createWebsocket: (to, protocols) => new WebSocket(to, protocols), ...options }); // was: nothing
}

export async function runClient(url, text = 'twenty degrees') {
  const [sensor, display] = await Promise.all([connect(url), connect(url)]);
  await display.subscribeAsync('home/+/temperature', { qos: 2 });
  const shown = new Promise((resolve) => {
    display.once('message', (topic, payload) => resolve(`${topic}: ${payload}`));
  });
  await sensor.publishAsync('home/kitchen/temperature', text, { qos: 2 });
  const said = await shown;
  await Promise.all([sensor.endAsync(), display.endAsync()]);
  return [said];
}
