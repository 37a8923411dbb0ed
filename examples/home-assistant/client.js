import {
  callService,
  createConnection,
  createLongLivedTokenAuth,
  subscribeEntities,
} from 'home-assistant-js-websocket';
import { install } from 'pq-websocket/polyfill';

install(); // the line that is new: the library makes its sockets with the global class

export const connect = (url, token = 'a token') =>
  createConnection({ auth: createLongLivedTokenAuth(url.replace('ws:', 'http:'), token) });

export async function runClient(url, text = 'Kitchen', token = 'a token') {
  const connection = await connect(url, token);
  const seen = new Promise((resolve) => {
    subscribeEntities(connection, (entities) => {
      const { state, attributes } = entities['light.kitchen'] ?? {};
      if (state === 'on') resolve(`${attributes.friendly_name} is ${state}`);
    });
  });
  await callService(connection, 'light', 'turn_on', { friendly_name: text }, { entity_id: 'light.kitchen' });
  const said = [await seen];
  connection.close();
  return said;
}
