/** The emitter that a socket and a server are. */
import { EventEmitter, getEventListeners, on, once } from 'node:events';
import type { WebSocket } from 'ws';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

export const emitter = part('emitter', {
  async 'listeners, in order, with `this`'(stage: Stage) {
    const ends = await stage.pair();
    const { client, peer } = ends;
    client.on('message', function (this: WebSocket, data) {
      stage.log('client', 'on', data, this === client);
    });
    client.once('message', function (this: WebSocket, data) {
      stage.log('client', 'once', data, this === client);
    });
    client.prependListener('message', (data) => {
      stage.log('client', 'prepended', data);
    });
    client.prependOnceListener('message', (data) => {
      stage.log('client', 'prepended once', data);
    });
    client.addListener('message', (data, isBinary) => {
      stage.log('client', 'added', data, isBinary);
    });
    client.onmessage = ({ data }) => {
      stage.log('client', 'onmessage', data);
    };
    client.addEventListener('message', ({ data }) => {
      stage.log('client', 'listener', data);
    });
    client.on('message', (data) => {
      stage.log('client', 'last', data);
    });
    peer.send('first');
    peer.send('second');
    await stage.flushed(ends);
  },

  async 'counts and removal'(stage: Stage) {
    const { client } = await stage.pair();
    const listener = (): void => undefined;
    stage.log('client', 'chained', client.on('message', listener) === client, client.once('pong', listener) === client);
    client.addEventListener('message', listener);
    client.onmessage = listener;
    stage.log(
      'client',
      'counts',
      client.listenerCount('message'),
      client.listeners('message').length,
      client.rawListeners('pong').length,
    );
    stage.log(
      'client',
      'the raw one',
      client.rawListeners('pong')[0] === listener,
      client.listeners('pong')[0] === listener,
    );
    stage.log('client', 'names', client.eventNames().sort());
    stage.log('client', 'getEventListeners', getEventListeners(client, 'message').length);
    client.off('message', listener);
    stage.log('client', 'after off', client.listenerCount('message'), client.onmessage === listener);
    client.removeListener('pong', listener);
    client.removeEventListener('message', listener);
    stage.log('client', 'after removal', client.listenerCount('message'), client.listenerCount('pong'));
    client.removeAllListeners();
    stage.log('client', 'after all', client.eventNames(), client.onmessage);
    stage.log(
      'client',
      'most',
      client.getMaxListeners(),
      client.setMaxListeners(3) === client,
      client.getMaxListeners(),
    );
  },

  async 'newListener and removeListener'(stage: Stage) {
    const { client } = await stage.pair();
    client.on(
      'newListener' as 'ping',
      ((name: string) => {
        stage.log('client', 'new', name);
      }) as never,
    );
    client.on(
      'removeListener' as 'ping',
      ((name: string) => {
        stage.log('client', 'removed', name);
      }) as never,
    );
    const listener = (): void => undefined;
    client.on('message', listener);
    client.onclose = listener;
    client.off('message', listener);
    client.onclose = null;
  },

  async 'emit by hand reaches listeners of both styles'(stage: Stage) {
    const ends = await stage.pair();
    const { client } = ends;
    client.on('message', (data, isBinary) => {
      stage.log('client', 'message', data, isBinary);
    });
    client.onmessage = ({ data }) => {
      stage.log('client', 'onmessage', data);
    };
    client.on('custom' as 'ping', (...values: unknown[]) => {
      stage.log('client', 'custom', values);
    });
    stage.log(
      'client',
      'emitted',
      client.emit('message', Buffer.from('by hand'), false),
      client.emit('custom', 1, 2),
      client.emit('nobody'),
    );
    stage.watch('peer', ends.peer);
    await stage.flushed(ends);
  },

  async 'events.once and events.on'(stage: Stage) {
    const { url, server } = await stage.serve();
    server.on('connection', (peer) => {
      for (const text of ['a', 'b', 'c']) peer.send(text);
    });
    const client = stage.connect(url);
    const opened = once(client, 'open');
    const iterator = on(client, 'message') as AsyncIterableIterator<[Buffer, boolean]>;
    stage.log('client', 'once', await opened);
    for (let i = 0; i < 3; i += 1) stage.log('client', 'on', ((await iterator.next()) as { value: unknown }).value);
    await iterator.return?.();
    stage.log('client', 'listeners left', client.listenerCount('message'), client.listenerCount('open'));
    const refused = stage.connect('ws://127.0.0.1:1');
    try {
      await once(refused, 'open');
    } catch (error) {
      stage.log('refused', 'once rejects', (error as { code?: string }).code);
    }
  },

  async "an 'error' that nobody listens for"(stage: Stage) {
    await stage.uncaught('client', 1, () => {
      const client = stage.connect('ws://127.0.0.1:1');
      client.on('close', (code) => {
        stage.log('closed', 'close', code);
      });
    });
  },

  async errorMonitor(stage: Stage) {
    await stage.uncaught('client', 1, () => {
      const client = stage.connect('ws://127.0.0.1:1');
      client.on(
        EventEmitter.errorMonitor as never,
        ((error: Error) => {
          stage.log('monitor', 'error', error);
        }) as never,
      );
    });
  },

  async 'a listener that throws'(stage: Stage) {
    const ends = await stage.pair();
    ends.client.once('message', () => {
      throw new Error('from the listener');
    });
    ends.client.on('message', (data) => {
      stage.log('client', 'not reached', data);
    });
    await stage.uncaught('client', 1, () => {
      ends.peer.send('first');
    });
    stage.log('client', 'state', ends.client.readyState);
  },

  async captureRejections(stage: Stage) {
    EventEmitter.captureRejections = true;
    try {
      const ends = await stage.pair();
      const caught = stage.event(ends.client, 'error');
      const listener = async (data: Buffer): Promise<void> => {
        await Promise.resolve();
        if (data.toString() === 'first') throw new Error('rejected');
      };
      ends.client.on('message', listener as never);
      ends.peer.send('first');
      stage.log('client', 'error', ...(await caught));
      await stage.flushed(ends);
      stage.log('client', 'state', ends.client.readyState);
    } finally {
      EventEmitter.captureRejections = false;
    }
  },

  async 'properties of the application, and methods that it replaces'(stage: Stage) {
    const ends = await stage.pair();
    Object.assign(ends.client, { isAlive: true, _id: 'an id', ping: () => 'replaced' });
    stage.log(
      'client',
      'own',
      (ends.client as unknown as { isAlive: boolean }).isAlive,
      (ends.client as unknown as { ping(): unknown }).ping(),
    );
    const { emit } = ends.peer;
    ends.peer.emit = function (this: WebSocket, event: string, ...values: unknown[]) {
      stage.log('peer', 'emits', event);
      return (emit as (...all: unknown[]) => boolean).call(this, event, ...values);
    } as never;
    ends.client.send('seen by the replaced emit');
    await stage.flushed(ends);
    stage.log('client', 'extensible', Object.isExtensible(ends.client));
  },
});
