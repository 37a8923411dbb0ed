/** Listeners and handlers, and the events that they get. */
import { expect, test } from 'vitest';
import { PQWebSocket } from '../../src/index.ts';
import { connect, connected, secureServer } from '../support/endpoints.ts';
import type { Client, Peer } from '../support/endpoints.ts';
import { deferred, once } from '../support/deferred.ts';

async function open(): Promise<{ client: Client; peer: Peer }> {
  return connected(await secureServer());
}

test('handlers and listeners run in the order of their first registration', async () => {
  const { client, peer } = await open();
  const calls: string[] = [];
  const note = (name: string) => (): void => {
    calls.push(name);
  };
  client.socket.addEventListener('message', note('listener 1'));
  client.socket.onmessage = note('replaced');
  client.socket.addEventListener('message', note('listener 2'));
  client.socket.onmessage = note('handler');
  peer.socket.send('x');
  await client.seen.next();
  expect(calls).toEqual(['listener 1', 'handler', 'listener 2']);
  client.socket.onmessage = null;
  peer.socket.send('y');
  await client.seen.next();
  expect(calls.slice(3)).toEqual(['listener 1', 'listener 2']);
});

test('handleEvent, once, signal, duplicates, removal', async () => {
  const { client, peer } = await open();
  const calls: string[] = [];
  const object = {
    name: 'object',
    handleEvent(this: { name: string }): void {
      calls.push(this.name);
    },
  };
  const twice = (): void => {
    calls.push('added twice');
  };
  const controller = new AbortController();
  client.socket.addEventListener('message', object);
  client.socket.addEventListener('message', () => calls.push('once'), { once: true });
  client.socket.addEventListener('message', () => calls.push('signal'), { signal: controller.signal });
  client.socket.addEventListener('message', twice);
  client.socket.addEventListener('message', twice);
  peer.socket.send('1');
  await client.seen.next();
  expect(calls).toEqual(['object', 'once', 'signal', 'added twice']);
  controller.abort();
  client.socket.removeEventListener('message', twice);
  peer.socket.send('2');
  await client.seen.next();
  expect(calls.slice(4)).toEqual(['object']);
});

test('this and target are the socket', async () => {
  const { client, peer } = await open();
  const seen: unknown[] = [];
  function listener(this: unknown, event: Event): void {
    seen.push(this, event.target);
  }
  client.socket.addEventListener('message', listener);
  client.socket.onmessage = listener;
  client.socket.onclose = listener;
  peer.socket.send('x');
  peer.socket.close();
  await client.seen.closed;
  expect(seen.map((value) => value === client.socket)).toEqual(Array(6).fill(true));
});

test('a listener may answer through this', async () => {
  const { client, peer } = await open();
  client.socket.addEventListener('message', function ({ data }) {
    this.send(`${String(data)} PONG`);
  });
  peer.socket.send('PING');
  expect(await peer.seen.next()).toBe('PING PONG');
});

test('what a listener throws is reported, and keeps neither the others nor later messages from anybody', async () => {
  const { client, peer } = await open();
  const present = process.listeners('uncaughtException');
  const reported: unknown[] = [];
  const all = deferred();
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => {
    reported.push(error.message);
    if (reported.length === 4) all.resolve();
  });
  try {
    client.socket.onmessage = (): never => {
      throw new Error('handler');
    };
    const after: unknown[] = [];
    client.socket.addEventListener('message', () => {
      throw new Error('listener');
    });
    client.socket.addEventListener('message', ({ data }) => after.push(data));
    peer.socket.send('1');
    peer.socket.send('2');
    await client.seen.next();
    await client.seen.next();
    await all.promise;
    expect(after).toEqual(['1', '2']);
    expect(reported).toEqual(['handler', 'listener', 'handler', 'listener']);
    expect(client.socket.readyState).toBe(PQWebSocket.OPEN);
    client.socket.send('still here');
    expect(await peer.seen.next()).toBe('still here');
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of present) process.on('uncaughtException', listener);
  }
});

test('open: once, a plain Event, readyState OPEN in it', async () => {
  const server = await secureServer();
  const client = connect(server.url);
  expect(client.socket.readyState).toBe(PQWebSocket.CONNECTING);
  const states: number[] = [];
  const opened = once<[Event]>(client.socket, 'open');
  client.socket.onopen = (): void => {
    states.push(client.socket.readyState);
  };
  const [event] = await opened;
  expect(event.constructor).toBe(Event);
  expect(event).toMatchObject({ type: 'open', bubbles: false, cancelable: false });
  const peer = await server.nextPeer();
  peer.socket.send('x');
  await client.seen.next();
  client.socket.close();
  await client.seen.closed;
  expect(states).toEqual([PQWebSocket.OPEN]);
  expect(client.seen.log).toEqual(['open', 'message', 'close']);
});

test('event classes can be constructed again from their events, as wrappers do', async () => {
  const { client, peer } = await open();
  const message = once<[MessageEvent]>(client.socket, 'message');
  const close = once<[CloseEvent]>(client.socket, 'close');
  peer.socket.send('data');
  peer.socket.close(4001, 'why');
  const again = <T extends Event>(event: T): T =>
    new (event.constructor as unknown as new (type: string, event: T) => T)(event.type, event);
  const [messageEvent] = await message;
  const [closeEvent] = await close;
  expect(again(messageEvent)).toMatchObject({ type: 'message', data: 'data' });
  expect(again(closeEvent)).toMatchObject({ type: 'close', code: 4001, reason: 'why', wasClean: true });
  expect(new MessageEvent(messageEvent.type, messageEvent as object).data).toBe('data');
  for (const name of ['code', 'reason', 'wasClean']) expect(name in closeEvent).toBe(true);
  expect(closeEvent).toBeInstanceOf(CloseEvent);
});

test('a failure is a plain Event without an error property, then close that was not clean', async () => {
  const server = await secureServer({ channel: { context: 'theirs' } });
  const client = connect(server.url, { context: 'ours' });
  const [event] = await once<[Event]>(client.socket, 'error');
  expect(event.constructor).toBe(Event);
  expect('error' in event || 'message' in event).toBe(false);
  expect(client.socket.readyState).toBe(PQWebSocket.CLOSED);
  expect(await client.seen.closed).toMatchObject({ wasClean: false, reason: '' });
  expect(client.seen.log).toEqual(['error', 'close']);
});

test('an application may dispatch events of its own', async () => {
  const { client } = await open();
  const custom = once<[Event]>(client.socket, 'custom');
  client.socket.dispatchEvent(new Event('custom'));
  expect((await custom)[0].type).toBe('custom');
});
