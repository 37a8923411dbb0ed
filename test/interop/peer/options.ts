/** What the command line of a peer says, as this package's options. */
import type { ChannelOptions, PQWebSocketOptions, ServerSocketOptions } from '../../../src/types.ts';
import { fromHex } from './bytes.ts';
import { parsePadding } from './reach.ts';

/** As they stand on the command line, without `--`. */
export interface PeerArguments {
  readonly context?: string | undefined;
  readonly padding?: string | undefined;
  readonly 'max-payload'?: string | undefined;
  readonly 'handshake-timeout'?: string | undefined;
  readonly pin?: readonly string[] | undefined;
  readonly 'identity-seed'?: string | undefined;
  readonly 'fast-open'?: boolean | undefined;
}

function channelOptions(given: PeerArguments): ChannelOptions {
  const options: ChannelOptions = { rekey: {} };
  if (given.context !== undefined) options.context = given.context;
  if (given.padding !== undefined) options.padding = parsePadding(given.padding);
  if (given['max-payload'] !== undefined) options.maxPayload = Number(given['max-payload']);
  if (given['handshake-timeout'] !== undefined) options.handshakeTimeout = milliseconds(given['handshake-timeout']);
  return options;
}

function milliseconds(text: string): number {
  const digits = /^(\d+)ms$/.exec(text)?.[1];
  if (digits === undefined) throw new Error('--handshake-timeout is such as 500ms');
  return Number(digits);
}

export function clientOptions(given: PeerArguments): PQWebSocketOptions {
  const options: PQWebSocketOptions = channelOptions(given);
  const pins = given.pin ?? [];
  // A fingerprint is a string of its own form; anything else is the public key in hex.
  if (pins.length > 0) options.serverKeys = pins.map((pin) => (pin.startsWith('sha256:') ? pin : fromHex(pin)));
  if (given['fast-open'] === true) options.fastOpen = true;
  return options;
}

export function serverOptions(given: PeerArguments): ServerSocketOptions {
  const options: ServerSocketOptions = channelOptions(given);
  if (given['identity-seed'] !== undefined) options.identity = fromHex(given['identity-seed']);
  return options;
}
