/** What the tests of the client run in a page, and in a worker: the browser build, and what it is watched with. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { PQWebSocket } from '../../src/index.ts';
import type { PQWebSocketInstance } from '../../src/api/socket-types.ts';

export interface Report {
  readonly backend: string;
  readonly nativeKem: boolean | null;
  readonly protocol: string;
  readonly recordsSealed: number;
  readonly recordsOpened: number;
  /** Calls of crypto.subtle's methods by name, while the connection lived. */
  readonly calls: Readonly<Record<string, number>>;
  /** For each size, whether both hashes and the bytes that came back are right. */
  readonly sizes: readonly (readonly [number, boolean])[];
  readonly text: unknown;
  readonly close: readonly [number, string, boolean];
  readonly inWorker: boolean;
}

const COUNTED = ['encrypt', 'decrypt', 'decapsulateKey', 'decapsulateBits', 'deriveKey', 'digest'] as const;
const calls: Record<string, number> = {};

/** From now on every call that anybody makes is counted; what it does stays the same. */
function countCalls(): void {
  if (typeof SubtleCrypto === 'undefined') return;
  const prototype = SubtleCrypto.prototype as unknown as Record<string, (...values: unknown[]) => unknown>;
  for (const name of COUNTED) {
    const original = prototype[name];
    if (original === undefined) continue;
    calls[name] = 0;
    prototype[name] = function (...values) {
      calls[name] = (calls[name] ?? 0) + 1;
      return original.apply(this, values);
    };
  }
}
countCalls();

function next(socket: PQWebSocketInstance): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.addEventListener(
      'message',
      ({ data }) => {
        resolve(data);
      },
      { once: true },
    );
    socket.addEventListener(
      'close',
      ({ code }) => {
        reject(new Error(`closed: ${code}`));
      },
      { once: true },
    );
  });
}

/** The server answers bytes with their SHA-256 as text and with the bytes, and text with itself. */
async function exchange(url: string, sizes: readonly number[]): Promise<Report> {
  for (const name of Object.keys(calls)) calls[name] = 0;
  const socket = new PQWebSocket(url, 'chat');
  socket.binaryType = 'arraybuffer';
  const results: [number, boolean][] = [];
  socket.send('grüße, queued');
  const text = await next(socket);
  for (const size of sizes) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 255);
    const hash = bytesToHex(sha256(bytes));
    socket.send(bytes);
    const hashThere = await next(socket);
    const back = await next(socket);
    results.push([
      size,
      hashThere === hash && back instanceof ArrayBuffer && bytesToHex(sha256(new Uint8Array(back))) === hash,
    ]);
  }
  const { backend, nativeKem, counters } = socket.pq;
  const before = { recordsSealed: counters.recordsSealed, recordsOpened: counters.recordsOpened, calls: { ...calls } };
  const close = await new Promise<Report['close']>((resolve) => {
    socket.onclose = ({ code, reason, wasClean }): void => {
      resolve([code, reason, wasClean]);
    };
    socket.close(4001, 'von der Seite ✓');
  });
  return {
    backend,
    nativeKem,
    protocol: socket.protocol,
    ...before,
    sizes: results,
    text,
    close,
    inWorker: typeof document === 'undefined',
  };
}

Object.assign(globalThis, { PQWebSocket, exchange });

if (typeof document === 'undefined') {
  addEventListener('message', (event: MessageEvent<{ url: string; sizes: number[] }>) => {
    void exchange(event.data.url, event.data.sizes).then((report) => {
      postMessage(report);
    });
  });
}
