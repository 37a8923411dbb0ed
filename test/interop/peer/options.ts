/** What the command line of a peer says, as this package's options. */
import type {
  AttestationContext,
  ChannelOptions,
  PQWebSocketOptions,
  ServerSocketOptions,
  KemName,
} from '../../../src/api/types.ts';
import { fromHex, sameBytes } from './bytes.ts';
import { LONGEST_REQUEST } from './echo-yellowpages.ts';
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
  readonly kem?: readonly string[] | undefined;
  readonly 'exchange-ms'?: string | undefined;
  readonly identity?: string | undefined;
  readonly 'client-keys'?: readonly string[] | undefined;
  readonly heartbeat?: string | undefined;
  readonly 'no-extensions'?: boolean | undefined;
  readonly profile?: string | undefined;
  readonly original?: boolean | undefined;
}

function channelOptions(given: PeerArguments): ChannelOptions {
  const options: ChannelOptions = given.profile === 'yellowpages' ? {} : { rekey: {}, ...extensions(given) };
  if (given.context !== undefined) options.context = given.context;
  if (given.padding !== undefined) options.padding = parsePadding(given.padding);
  if (given['max-payload'] !== undefined) options.maxPayload = Number(given['max-payload']);
  if (given['handshake-timeout'] !== undefined) options.handshakeTimeout = milliseconds(given['handshake-timeout']);
  return options;
}

/** Of both ends. Unset, sealed pings are answered, as the contract has it. */
function extensions(given: PeerArguments): ChannelOptions {
  const none = given['no-extensions'] === true;
  const options: ChannelOptions = none ? { exchange: false, grease: false } : { heartbeat: true };
  const after = given['exchange-ms'];
  if (after !== undefined) options.exchange = after === '0' ? false : { milliseconds: Number(after) };
  if (given.heartbeat === 'off') options.heartbeat = false;
  else if (given.heartbeat !== undefined) {
    const [interval, timeout] = given.heartbeat.split('/').map(Number);
    options.heartbeat = { interval: interval ?? NaN, timeout: timeout ?? NaN };
  }
  return options;
}

/** A fingerprint is a string of its own form; anything else is the public key in hex. */
const keysOf = (texts: readonly string[]): (string | Uint8Array)[] =>
  texts.map((text) => (text.startsWith('sha256:') ? text : fromHex(text)));

function milliseconds(text: string): number {
  const digits = /^(\d+)ms$/.exec(text)?.[1];
  if (digits === undefined) throw new Error('--handshake-timeout is such as 500ms');
  return Number(digits);
}

export function clientOptions(given: PeerArguments): PQWebSocketOptions {
  const options: PQWebSocketOptions = channelOptions(given);
  const pins = given.pin ?? [];
  if (pins.length > 0) options.serverKeys = keysOf(pins);
  if (given.kem !== undefined) options.kem = given.kem as readonly KemName[];
  if (given.identity !== undefined) options.identity = fromHex(given.identity);
  if (given['fast-open'] === true) options.fastOpen = true;
  if (given.profile === 'yellowpages') {
    options.profile = 'yellowpages';
    options.verifyAttestation = demandUserData;
  }
  return options;
}

export function serverOptions(given: PeerArguments): ServerSocketOptions {
  const options: ServerSocketOptions = channelOptions(given);
  if (given['identity-seed'] !== undefined) options.identity = fromHex(given['identity-seed']);
  const clientKeys = given['client-keys'] ?? [];
  if (clientKeys.length > 0) options.clientKeys = keysOf(clientKeys);
  if (given.kem !== undefined) options.kems = given.kem as readonly KemName[];
  else if (given['no-extensions'] === true) options.kems = ['ml-kem-768'];
  const { profile = 'v1' } = given;
  if (!Object.hasOwn(PROFILES, profile)) throw new Error('--profile is v1, yellowpages or both');
  options.profiles = PROFILES[profile as keyof typeof PROFILES];
  // A peer runs in no enclave: its document says what it should and proves nothing.
  if (profile !== 'v1') options.attest = (_th, { userData }): Uint8Array => userData;
  if (given.original === true) options.maxPayload = LONGEST_REQUEST;
  return options;
}

const PROFILES = { v1: ['v1'], yellowpages: ['yellowpages'], both: ['v1', 'yellowpages'] } as const;

/** @throws {Error} when the document is not the very bytes that it should cover */
function demandUserData(document: Uint8Array, { userData }: AttestationContext): void {
  if (!sameBytes(document, userData)) throw new Error('the document is not the user data');
}
