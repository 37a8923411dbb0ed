/** What the module, the classes and their prototypes have, before anything connects. */
import { EventEmitter } from 'node:events';
import type { Stage } from '../stage.ts';
import { part } from '../scenario.ts';

function descriptorOf(holder: object, name: string): string {
  for (let level: object | null = holder; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(level, name);
    if (descriptor === undefined) continue;
    const kind = descriptor.get
      ? `accessor${descriptor.set ? '' : ', read only'}`
      : `value${descriptor.writable ? '' : ', constant'}`;
    return `${kind}${descriptor.enumerable ? ', enumerable' : ''}`;
  }
  return 'none';
}

const ATTRIBUTES = ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url'];
const HANDLERS = ['onopen', 'onmessage', 'onerror', 'onclose'];
const CONSTANTS = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];
const METHODS = [
  'send',
  'close',
  'terminate',
  'ping',
  'pong',
  'pause',
  'resume',
  'addEventListener',
  'removeEventListener',
];
const SERVER_METHODS = ['address', 'close', 'handleUpgrade', 'shouldHandle'];

export const api = part('api', {
  'names of the module'(stage: Stage) {
    const { module } = stage.library;
    for (const name of [
      'WebSocket',
      'WebSocketServer',
      'createWebSocketStream',
      'Receiver',
      'Sender',
      'extension',
      'PerMessageDeflate',
      'subprotocol',
    ]) {
      stage.log('module', name, typeof module[name]);
    }
    stage.log('module', 'the default is WebSocket', module['default'] === module['WebSocket']);
    const { WebSocket } = stage as unknown as { WebSocket: Record<string, unknown> };
    for (const name of [
      'WebSocket',
      'WebSocketServer',
      'Server',
      'createWebSocketStream',
      'Receiver',
      'Sender',
      'extension',
      'PerMessageDeflate',
      'subprotocol',
    ]) {
      stage.log('class', name, typeof WebSocket[name]);
    }
    stage.log(
      'class',
      'the same',
      WebSocket['WebSocket'] === stage.WebSocket,
      WebSocket['Server'] === stage.WebSocketServer,
    );
    stage.log(
      'class',
      'names',
      stage.WebSocket.name,
      stage.WebSocketServer.name,
      stage.library.createWebSocketStream.name,
    );
  },

  'what writes frames by itself is refused'(stage: Stage) {
    const { module } = stage.library as unknown as { module: Record<string, new () => object> };
    for (const name of ['Receiver', 'Sender', 'PerMessageDeflate'] as const)
      stage.tried('module', `new ${name}`, () => typeof new (module[name] as new () => object)());
  },

  'members of WebSocket'(stage: Stage) {
    const { prototype } = stage.WebSocket;
    for (const name of [...ATTRIBUTES, ...HANDLERS]) stage.log('prototype', name, descriptorOf(prototype, name));
    for (const name of METHODS)
      stage.log('prototype', name, typeof (prototype as unknown as Record<string, unknown>)[name]);
    for (const name of CONSTANTS) {
      stage.log(
        'constants',
        name,
        descriptorOf(stage.WebSocket, name),
        descriptorOf(prototype, name),
        (stage.WebSocket as unknown as Record<string, unknown>)[name],
      );
    }
    stage.log(
      'prototype',
      'an emitter',
      prototype instanceof EventEmitter,
      stage.WebSocketServer.prototype instanceof EventEmitter,
    );
    stage.tried('prototype', 'called without new', () => (stage.WebSocket as unknown as () => unknown)());
  },

  'members of WebSocketServer'(stage: Stage) {
    const server = stage.own(new stage.WebSocketServer({ noServer: true }));
    for (const name of SERVER_METHODS)
      stage.log(
        'prototype',
        name,
        typeof (stage.WebSocketServer.prototype as unknown as Record<string, unknown>)[name],
      );
    stage.log('server', 'clients', server.clients);
    const { options } = server as unknown as { options: Record<string, unknown> };
    for (const name of [
      'allowSynchronousEvents',
      'autoPong',
      'maxBufferedChunks',
      'maxFragments',
      'maxPayload',
      'maxPendingAutoPongs',
      'skipUTF8Validation',
      'perMessageDeflate',
      'handleProtocols',
      'clientTracking',
      'closeTimeout',
      'verifyClient',
      'noServer',
      'backlog',
      'server',
      'host',
      'path',
      'port',
      'WebSocket',
    ]) {
      stage.log('options', name, options[name]);
    }
    stage.tried('server', 'address()', () => server.address());
    stage.log(
      'server',
      'instance keys that are visible and public',
      Object.keys(server)
        .filter((key) => !key.startsWith('_'))
        .sort(),
    );
  },

  subclasses(stage: Stage) {
    class Client extends stage.WebSocket {
      readonly own = 1;
      override send(_data: unknown): void {
        stage.log('client', 'own send');
      }
    }
    class OwnServer extends stage.WebSocketServer {
      readonly own = 2;
    }
    const client = stage.keep(new Client('ws://127.0.0.1:1'));
    client.on('error', () => undefined);
    client.send('ignored');
    stage.log(
      'client',
      'instance',
      client instanceof stage.WebSocket,
      (client as Client).own,
      client.readyState,
      client.constructor === Client,
    );
    const server = stage.own(new OwnServer({ noServer: true }));
    stage.log(
      'server',
      'instance',
      server instanceof stage.WebSocketServer,
      (server as OwnServer).own,
      server.options.noServer,
    );
  },

  'a client before it is open'(stage: Stage) {
    const client = stage.connect('ws://127.0.0.1:1/path?query=1');
    client.on('error', () => undefined);
    for (const name of [...ATTRIBUTES, ...HANDLERS, ...CONSTANTS])
      stage.log('client', name, (client as unknown as Record<string, unknown>)[name]);
    stage.log('client', '_socket', (client as unknown as { _socket: unknown })._socket);
    stage.log(
      'client',
      'enumerable',
      (() => {
        const names = [];
        for (const name in client)
          if (!name.startsWith('_') && [...ATTRIBUTES, ...HANDLERS, ...CONSTANTS].includes(name)) names.push(name);
        return names.sort();
      })(),
    );
  },

  async 'both ends while they are open'(stage: Stage) {
    const { client, peer, url } = await stage.pair();
    for (const [who, socket] of [
      ['client', client],
      ['peer', peer],
    ] as const) {
      for (const name of ATTRIBUTES.filter((each) => each !== 'url'))
        stage.log(who, name, (socket as unknown as Record<string, unknown>)[name]);
      const { _socket } = socket as unknown as {
        _socket: { remoteAddress: string; remoteFamily: string; remotePort: unknown };
      };
      stage.log(who, '_socket', _socket.remoteAddress, _socket.remoteFamily, typeof _socket.remotePort);
    }
    stage.log('client', 'url', client.url === `${url}/`);
    stage.log('peer', 'url', peer.url);
  },
});
