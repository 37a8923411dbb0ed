import { Buffer, isUtf8 } from 'node:buffer';
import IsomorphicWebSocket from 'isomorphic-ws';
import { nodeBackend } from '../crypto/node.ts';
import type { Platform, WebSocketConstructor } from './platform.ts';
import { TRANSPORT_OPTIONS } from './ws-options.ts';

export const platform: Platform = {
  backend: () => nodeBackend,
  fallbackWebSocket: () => IsomorphicWebSocket as unknown as WebSocketConstructor,
  transportOptions: TRANSPORT_OPTIONS,
  toBuffer: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  isUtf8,
  queueTask: undefined,
};
