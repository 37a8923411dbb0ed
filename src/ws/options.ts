/** Options of the `ws` drop-ins: ours, those of `ws` that pass through, and those that are refused with a reason. */
import type { IncomingMessage, Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { ServerOptions } from 'ws';
import type { ChannelConfig } from '../options/channel.ts';
import { booleanOption, numberOption } from '../options/channel.ts';
import { MAX_TIMER } from '../base/timers.ts';
import type { Bytes, ServerSocketOptions } from '../api/types.ts';

/** Handshakes that may be under way at once before the oldest is given up. */
export const DEFAULT_MAX_PENDING = 1_000;

/** npm `ws`'s server options that mean the same here. */
type PassedOn = Pick<
  ServerOptions,
  | 'host'
  | 'port'
  | 'backlog'
  | 'path'
  | 'noServer'
  | 'clientTracking'
  | 'verifyClient'
  | 'handleProtocols'
  | 'autoPong'
  | 'allowSynchronousEvents'
> & {
  server?: Server | SecureServer;
  /** Milliseconds from the moment that a close is sent to giving up on its answer. Default 30,000. */
  closeTimeout?: number;
  /** Limits of `ws` on chunks, fragments and unanswered pings of one transport. */
  maxBufferedChunks?: number;
  maxFragments?: number;
  maxPendingAutoPongs?: number;
};

/** npm `ws`'s options of a server, and those of the secure layer. */
export interface WebSocketServerOptions extends PassedOn, Omit<ServerSocketOptions, 'context'> {
  /** As everywhere, or a function of the upgrade request. */
  context?: string | Bytes | ((request: IncomingMessage) => string | Bytes);
  /** Handshakes that may be pending; beyond it the oldest pending one is closed with 1013. Default 1,000. */
  maxPendingHandshakes?: number;
  /** Only `false`: compressing ciphertext is waste, and compressing secrets beside chosen text leaks them. */
  perMessageDeflate?: false;
  /** Only `false`: text that is not UTF-8 ends a secure connection. */
  skipUTF8Validation?: false;
}

/** What of the options of `ws` is the secure connection's to carry out: both ends, client and server. */
export function transportConfig(
  where: string,
  config: ChannelConfig,
  options: { closeTimeout?: unknown; allowSynchronousEvents?: unknown },
): ChannelConfig {
  const closeTimeout = numberOption(
    where,
    'closeTimeout',
    options.closeTimeout,
    config.limits.closeTimeout,
    0,
    MAX_TIMER,
  );
  const messagesAsTasks = !booleanOption(where, 'allowSynchronousEvents', options.allowSynchronousEvents, true);
  const isTheSame =
    closeTimeout === config.limits.closeTimeout && messagesAsTasks === (config.messagesAsTasks ?? false);
  return isTheSame ? config : { ...config, limits: { ...config.limits, closeTimeout }, messagesAsTasks };
}

/** The defaults that `ws` shows in a server's `options`. */
export const SHOWN_DEFAULTS = {
  allowSynchronousEvents: true,
  autoPong: true,
  maxBufferedChunks: 256 * 1024,
  maxFragments: 16 * 1024,
  maxPayload: 100 * 1024 * 1024,
  maxPendingAutoPongs: 60,
  skipUTF8Validation: false,
  perMessageDeflate: false,
  handleProtocols: null,
  clientTracking: true,
  closeTimeout: 30_000,
  verifyClient: null,
  noServer: false,
  backlog: null,
  server: null,
  host: null,
  path: null,
  port: null,
} as const;

/** Options that `ws` itself gets. */
export const WS_SERVER_OPTIONS = [
  'autoPong',
  'allowSynchronousEvents',
  'closeTimeout',
  'maxBufferedChunks',
  'maxFragments',
  'maxPendingAutoPongs',
] as const;

/** Options that this class carries out. */
export const OWN_SERVER_OPTIONS = [
  'host',
  'port',
  'backlog',
  'server',
  'noServer',
  'path',
  'clientTracking',
  'verifyClient',
  'handleProtocols',
  'maxPendingHandshakes',
  'profiles',
] as const;
