/** A page's `Object.prototype` is nobody's option, and no attribute of an event. */
import { afterEach, describe, expect, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { createPolyfill } from '../../src/dom/polyfill-class.ts';
import { IdleSocket } from '../support/memory-transport.ts';
import { startSecure } from '../support/ws-endpoints.ts';

const polluted = new Set<string>();

function pollute(members: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(members)) {
    polluted.add(name);
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: false });
  }
}

afterEach(() => {
  for (const name of polluted) Reflect.deleteProperty(Object.prototype, name);
  polluted.clear();
});

describe.each([
  ['the profile', { profile: 'yellowpages', verifyAttestation: false }],
  ['pins', { serverKeys: `sha256:${'0'.repeat(64)}` }],
  ['a context', { context: 'of somebody else' }],
  ['fast open', { fastOpen: true }],
  ['strict', { strict: true }],
  ['limits', { maxPayload: 1, handshakeTimeout: 1, padding: 65_536, records: 2, rekey: { records: 2 } }],
  ['a class to run over', { WebSocket: IdleSocket }],
  [
    'the attributes of events',
    { bubbles: true, cancelable: true, composed: true, source: 'x', ports: 1, lastEventId: 'x' },
  ],
])('%s', (_, members) => {
  test('changes nothing of a connection', async () => {
    const { url, next } = await startSecure();
    pollute(members);
    const socket = new PQWebSocket(url, undefined, { handshakeTimeout: 5_000 });
    socket.send('queued');
    const { socket: peer } = await next();
    peer.on('message', (data) => {
      peer.send(data.toString());
    });
    const event = await new Promise<MessageEvent>((resolve, reject) => {
      socket.onmessage = resolve;
      socket.onclose = (close): void => {
        reject(new Error(`closed with ${close.code}`));
      };
    });
    expect([event.data, event.bubbles, event.cancelable, event.lastEventId]).toEqual(['queued', false, false, '']);
    expect(socket.pq.profile).toBe('v1');
    socket.onclose = null;
    socket.close();
  });

  test('changes nothing of what a polyfill makes', () => {
    pollute({ ...members, include: () => false });
    IdleSocket.made = [];
    const Polyfilled = createPolyfill({ native: IdleSocket }, {});
    const socket = new Polyfilled('ws://host/') as { pq?: { profile: string } };
    expect(socket.pq?.profile).toBe('v1');
  });
});
