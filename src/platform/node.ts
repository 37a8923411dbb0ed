import { Buffer, isUtf8 } from 'node:buffer';
import IsomorphicWebSocket from 'isomorphic-ws';
import { nodeSignatures } from '../crypto/node-signature.ts';
import { nodeBackend } from '../crypto/node.ts';
import type { Platform } from './platform.ts';
import { TRANSPORT_OPTIONS } from './ws-options.ts';

export const platform: Platform = {
  signatures: () => nodeSignatures(),
  backend: () => nodeBackend,
  fallbackWebSocket: () => IsomorphicWebSocket,
  transportOptions: TRANSPORT_OPTIONS,
  toBuffer: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  isUtf8,
  queueTask: undefined,
};
