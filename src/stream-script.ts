/**
 * The script tag's part with streams: `WebSocketStream` over a secure connection, in the place of the platform's. A page names it
 * itself, before or after the first script.
 */
import type { Polyfill } from './dom/polyfill-install.ts';
import { replaceStream } from './dom/stream-install.ts';
import { createStreamClass } from './dom/websocket-stream.ts';
import { registerPart } from './platform/script/registry.ts';
import { brandOf } from './transport/choose.ts';

function make(polyfill: object): object | undefined {
  const { openSecure, nativeStream: native, options = {} } = polyfill as Partial<Polyfill>;
  const { include, ...channel } = options;
  return (
    openSecure && createStreamClass({ openSecure, native, asPlatform: true }, 'WebSocketStream', { channel, include })
  );
}

registerPart('stream', make);
const polyfill = brandOf((globalThis as { WebSocket?: unknown }).WebSocket) as Polyfill | undefined;
const Streams = polyfill && make(polyfill);
if (polyfill?.nativeStream !== undefined && Streams !== undefined) replaceStream(polyfill.nativeStream, Streams);
