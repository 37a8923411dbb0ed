import { wsconnect } from '@nats-io/nats-core';
import { PQWebSocket } from 'pq-websocket';

// `encrypted` is NATS's word for TLS underneath: with it the addresses that a cluster announces are taken as wss:.
const sealed = async (url) => ({ socket: new PQWebSocket(url), encrypted: url.startsWith('wss:') });

export const connect = (url, options = {}) => wsconnect({ servers: url, wsFactory: sealed, ...options }); // was: { servers: url }

export async function runClient(url, text = 'hello, NATS') {
  const [asking, answering] = await Promise.all([connect(url), connect(url)]);
  answering.subscribe('greet.*', {
    callback: (_error, message) => message.respond(`${message.subject}: ${message.string()}`),
  });
  await answering.flush();
  const reply = await asking.request('greet.world', text);
  await Promise.all([asking.drain(), answering.drain()]);
  return [reply.string()];
}
