/** addEventListener, the on* attributes and the events that they get. */
import type { WebSocket } from 'ws';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

type AnyEvent = Record<string, unknown>;

function facts(event: unknown, socket: WebSocket, ...names: string[]): unknown[] {
  const values = event as AnyEvent;
  return [values['type'], values['target'] === socket, ...names.map((name) => values[name])];
}

export const dom = part('dom', {
  async 'the four events'(stage: Stage) {
    const { url, server } = await stage.serve();
    const accepted = stage.event<[WebSocket]>(server, 'connection');
    const client = stage.connect(url);
    client.addEventListener('open', (event) => {
      stage.log('client', 'open', ...facts(event, client));
    });
    client.addEventListener('message', (event) => {
      stage.log('client', 'message', ...facts(event, client, 'data'));
    });
    client.addEventListener('close', (event) => {
      stage.log('client', 'close', ...facts(event, client, 'code', 'reason', 'wasClean'));
    });
    await stage.event(client, 'open');
    const [peer] = await accepted;
    peer.send('text \u00e9 \ufeff');
    peer.send(Buffer.from([1, 2, 255]));
    peer.close(4321, 'gr\u00fc\u00dfe');
    await stage.closed(client, peer);
  },

  async error(stage: Stage) {
    const client = stage.connect('ws://127.0.0.1:1');
    client.addEventListener('error', (event) => {
      stage.log('client', 'error', ...facts(event, client, 'message'), event.error);
    });
    client.onerror = (event): void => {
      stage.log('client', 'onerror', ...facts(event, client, 'message'), event.error);
    };
    client.onclose = (event): void => {
      stage.log('client', 'onclose', ...facts(event, client, 'code', 'reason', 'wasClean'));
    };
    await stage.closed(client);
  },

  async 'a cut is not clean'(stage: Stage) {
    const { client, peer } = await stage.pair();
    client.onclose = (event): void => {
      stage.log('client', 'close', event.code, event.reason, event.wasClean);
    };
    peer.onclose = (event): void => {
      stage.log('peer', 'close', event.code, event.reason, event.wasClean);
    };
    peer.terminate();
    await stage.closed(client, peer);
  },

  async 'a close without a code'(stage: Stage) {
    const { client, peer } = await stage.pair();
    client.onclose = (event): void => {
      stage.log('client', 'close', event.code, event.reason, event.wasClean);
    };
    peer.onclose = (event): void => {
      stage.log('peer', 'close', event.code, event.reason, event.wasClean);
    };
    client.close();
    await stage.closed(client, peer);
  },

  async 'once, repeated, removed, objects'(stage: Stage) {
    const ends = await stage.pair();
    const { client } = ends;
    const twice = ({ data }: { data: unknown }): void => {
      stage.log('client', 'added twice', data);
    };
    client.addEventListener('message', twice);
    client.addEventListener('message', twice);
    client.addEventListener(
      'message',
      ({ data }) => {
        stage.log('client', 'once', data);
      },
      { once: true },
    );
    const object = {
      handleEvent(this: unknown, { data }: { data: unknown }): void {
        stage.log('client', 'handleEvent', data, this === object);
      },
    };
    client.addEventListener('message', object);
    const removed = (): void => {
      stage.log('client', 'removed');
    };
    client.addEventListener('message', removed);
    client.removeEventListener('message', removed);
    client.removeEventListener('message', () => undefined);
    client.addEventListener('message', function (this: unknown) {
      stage.log('client', 'this', this === client);
    });
    ends.peer.send('first');
    ends.peer.send('second');
    await stage.flushed(ends);
    client.removeEventListener('message', object);
    stage.log('client', 'left', client.listenerCount('message'));
  },

  async attributes(stage: Stage) {
    const ends = await stage.pair();
    const { client } = ends;
    const handler = ({ data }: { data: unknown }): void => {
      stage.log('client', 'handler', data);
    };
    for (const name of ['onopen', 'onmessage', 'onerror', 'onclose'] as const) {
      stage.log('client', name, client[name]);
      client[name] = handler as never;
      stage.log('client', name, client[name] === handler, client.listenerCount(name.slice(2)));
      client[name] = 'nonsense' as never;
      stage.log('client', name, client[name], client.listenerCount(name.slice(2)));
      client[name] = { handleEvent: handler } as never;
      stage.log('client', name, client[name], client.listenerCount(name.slice(2)));
      client[name] = handler as never;
      client[name] = null;
      stage.log('client', name, client[name], client.listenerCount(name.slice(2)));
    }
    client.onmessage = (): void => {
      stage.log('client', 'replaced');
    };
    client.on('message', (data) => {
      stage.log('client', 'on', data);
    });
    client.onmessage = handler;
    client.addEventListener('message', handler);
    client.removeEventListener('message', handler);
    ends.peer.send('first');
    await stage.flushed(ends);
  },

  async 'other types are ignored'(stage: Stage) {
    const { client } = await stage.pair();
    client.addEventListener('ping' as 'message', () => {
      stage.log('client', 'ping');
    });
    stage.log('client', 'count', client.listenerCount('ping'));
    stage.tried('client', 'removing what is not there', () => {
      client.removeEventListener('nonsense' as 'message', () => undefined);
    });
  },

  async 'binaryType is what data is'(stage: Stage) {
    const ends = await stage.pair();
    ends.client.onmessage = ({ data }): void => {
      stage.log('client', 'data', data);
    };
    for (const type of ['nodebuffer', 'arraybuffer', 'fragments', 'blob', 'nonsense'] as const) {
      ends.client.binaryType = type as 'nodebuffer';
      stage.log('client', 'binaryType', ends.client.binaryType);
      ends.peer.send(Buffer.from('bytes'));
      await stage.flushed(ends);
    }
  },
});
