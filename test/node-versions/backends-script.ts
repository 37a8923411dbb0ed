/**
 * Runs in every supported Node, bundled: both ends talk, and what node:crypto was asked to do is counted. Prints one
 * line of JSON.
 */
import crypto from 'node:crypto';
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { WsStyleWebSocket } from '../../src/ws.ts';

const COUNTED = ['createCipheriv', 'createDecipheriv', 'encapsulate', 'decapsulate', 'hkdfSync'] as const;

export interface RuntimeReport {
  readonly node: string;
  readonly hasGlobalWebSocket: boolean;
  /** Whether this Node's own crypto can make an ML-KEM-768 key. */
  readonly hasMlKem: boolean;
  /** Whether the client's upgrade request came from npm ws, which names no user agent and offers no extension. */
  readonly fromWs: boolean;
  readonly ends: readonly {
    readonly backend: string;
    readonly nativeKem: boolean | null;
    readonly recordsSealed: number;
    readonly recordsOpened: number;
  }[];
  readonly calls: Readonly<Record<(typeof COUNTED)[number], number>>;
  readonly echoed: readonly (readonly [string, string | number])[];
  readonly closes: readonly (readonly [number, string, boolean?])[];
}

const calls = { createCipheriv: 0, createDecipheriv: 0, encapsulate: 0, decapsulate: 0, hkdfSync: 0 };

/** Before anything else takes them: an import of node:crypto sees what this puts there. */
function countCalls(): void {
  const functions = crypto as unknown as Record<string, ((...values: unknown[]) => unknown) | undefined>;
  for (const name of COUNTED) {
    const original = functions[name];
    if (original === undefined) continue;
    functions[name] = (...values): unknown => {
      calls[name] += 1;
      return original(...values);
    };
  }
  syncBuiltinESMExports();
}

function hasMlKem(): boolean {
  try {
    (crypto.generateKeyPairSync as (type: string) => unknown)('ml-kem-768');
    return true;
  } catch {
    return false;
  }
}

async function main(): Promise<RuntimeReport> {
  countCalls();
  const { PQWebSocket } = await import('../../src/index.ts');
  const { WebSocketServer } = await import('../../src/ws.ts');
  const { publicKeyOf } = await import('../../src/keys.ts');
  const identity = new Uint8Array(crypto.randomBytes(32));
  const secret = identity.slice();
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', identity });
  // Whoever gave it may overwrite it at once, also where this Node has no ML-DSA of its own: else the key of zeros is the server's.
  identity.fill(0);
  await once(server, 'listening');
  const accepted = once(server, 'connection') as unknown as Promise<[WsStyleWebSocket, IncomingMessage]>;
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      socket.send(data, { binary: isBinary });
    });
  });
  const client = new PQWebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, 'chat', {
    serverKeys: [await publicKeyOf(secret)],
  });
  client.binaryType = 'arraybuffer';
  const next = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      client.addEventListener(
        'message',
        ({ data }) => {
          resolve(data);
        },
        { once: true },
      );
      client.addEventListener(
        'close',
        ({ code }) => {
          reject(new Error(`closed: ${code}`));
        },
        { once: true },
      );
    });
  const echoed: [string, string | number][] = [];
  client.send('grüße, queued');
  echoed.push(['text', String(await next())]);
  for (const size of [0, 1, 70_000]) {
    const bytes = crypto.randomBytes(size);
    client.send(bytes);
    const back = await next();
    if (!(back instanceof ArrayBuffer) || !bytes.equals(Buffer.from(back)))
      throw new Error(`${size} bytes came back changed`);
    echoed.push(['binary', back.byteLength]);
  }
  const [socket, request] = await accepted;
  const ends = [client, socket].map(({ pq }) => ({
    backend: pq.backend,
    nativeKem: pq.nativeKem,
    recordsSealed: pq.counters.recordsSealed,
    recordsOpened: pq.counters.recordsOpened,
  }));
  const counted = { ...calls };
  const there = once(socket as unknown as EventEmitter, 'close') as Promise<[number, Buffer]>;
  const here = new Promise<CloseEvent>((resolve) => {
    client.onclose = resolve;
  });
  client.close(4001, 'bye ✓');
  const { code, reason, wasClean } = await here;
  const [codeThere, reasonThere] = await there;
  server.close();
  await once(server, 'close');
  return {
    node: process.version,
    hasGlobalWebSocket: typeof WebSocket === 'function',
    hasMlKem: hasMlKem(),
    fromWs: request.headers['user-agent'] === undefined && request.headers['sec-websocket-extensions'] === undefined,
    ends,
    calls: counted,
    echoed,
    closes: [
      [code, reason, wasClean],
      [codeThere, reasonThere.toString()],
    ],
  };
}

// No await at the top: the script is bundled as CommonJS too.
void main().then((report) => {
  console.log(JSON.stringify(report));
});
