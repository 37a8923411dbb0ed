import { Buffer, isUtf8 } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { startupSnapshot } from 'node:v8';
import * as workerThreads from 'node:worker_threads';
import IsomorphicWebSocket from 'isomorphic-ws';
import { nodeSignatures } from '../crypto/node-signature.ts';
import { nodeBackend } from '../crypto/node.ts';
import { pooled } from '../crypto/random-pool.ts';
import { YellowpagesSession } from '../protocol/yellowpages.ts';
import { attachTransport } from '../socket/transport.ts';
import type { Platform } from './platform.ts';
import { TRANSPORT_OPTIONS } from './ws-options.ts';

/** What a startup snapshot holds, every process that starts from it holds: no random bytes. Deno and Bun build none. */
function mayPool(): boolean {
  return !(startupSnapshot as typeof startupSnapshot | undefined)?.isBuildingSnapshot();
}

export const platform: Platform = {
  signatures: () => nodeSignatures(),
  yellowpages: () => YellowpagesSession,
  attachTransport,
  backend: () => nodeBackend,
  random: pooled((target) => randomFillSync(target), mayPool),
  fallbackWebSocket: () => IsomorphicWebSocket,
  transportOptions: TRANSPORT_OPTIONS,
  toBuffer: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  isUtf8,
  queueTask: undefined,
  releasesFrames: (ws) => {
    const { _socket: network } = ws as { readonly _socket?: object | null };
    // The classes themselves: what derives from them may write elsewhere.
    const prototype: unknown = network ? Object.getPrototypeOf(network) : undefined;
    return prototype === Socket.prototype || prototype === TLSSocket.prototype;
  },
  // Not in Node before 22.10, nor in every Deno and Bun.
  refuseClone: (object) => {
    (workerThreads.markAsUncloneable as typeof workerThreads.markAsUncloneable | undefined)?.(object);
  },
};
