import { Buffer, isUtf8 } from 'node:buffer';
import { randomFillSync } from 'node:crypto';
import { startupSnapshot } from 'node:v8';
import * as workerThreads from 'node:worker_threads';
import IsomorphicWebSocket from 'isomorphic-ws';
import { nodeSignatures } from '../crypto/node/signature.ts';
import { chooseBackend, nativeMask } from '../crypto/node/choose.ts';
import { ownProperties } from '../base/own-properties.ts';
import { pooled } from '../crypto/random-pool.ts';
import { clientAuthentication } from '../protocol/client-authentication.ts';
import { LiveExtensions } from '../protocol/v1/extensions.ts';
import { Yellowpages } from '../protocol/yellowpages/profile.ts';
import { withVariableKeyLog } from './key-log-node.ts';
import { takeFrame } from './node-frames/pool.ts';
import { giveBackJoined } from './node-frames/pieces.ts';
import { readsAlone } from './node-frames/read.ts';
import { joinFrames, writeFrame, writeJoined } from './node-frames/write.ts';
import type { Platform } from './platform.ts';
import { TRANSPORT_OPTIONS } from './ws-options.ts';

/** What a startup snapshot holds, every process that starts from it holds: no random bytes. Deno and Bun build none. */
function mayPool(): boolean {
  return !(startupSnapshot as typeof startupSnapshot | undefined)?.isBuildingSnapshot();
}

const random = pooled((target) => randomFillSync(target), mayPool);

export const platform: Platform = ownProperties<Platform>({
  signatures: () => nodeSignatures(),
  extensions: () => LiveExtensions,
  clientAuthentication: () => clientAuthentication,
  yellowpages: () => Yellowpages,
  backend: (native) => withVariableKeyLog(chooseBackend(native)),
  random,
  takeFrame,
  fallbackWebSocket: () => IsomorphicWebSocket,
  transportOptions: TRANSPORT_OPTIONS,
  toBuffer: (bytes) =>
    bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  isUtf8,
  queueTask: undefined,
  writeFrame: (ws, frame, done) => writeFrame(ws, frame, random, done, nativeMask()),
  fastMask: nativeMask,
  joinFrames,
  writeJoined,
  readsAlone,
  giveBackJoined,
  // Not in Node before 22.10, nor in every Deno and Bun.
  refuseClone: (object) => {
    (workerThreads.markAsUncloneable as typeof workerThreads.markAsUncloneable | undefined)?.(object);
  },
});
