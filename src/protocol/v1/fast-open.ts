/** Fast open (PROTOCOL.md 13): ClientHello among the subprotocols of the upgrade request. Nothing here keeps state. */
import { fromBase64, fromUtf8, toBase64, utf8 } from '../../base/bytes.ts';

/** What a server selects where the application offers no subprotocol of its own. */
export const FAST_OPEN_PROTOCOL = 'pqws1';
const TOKEN_PREFIX = 'pqws1.';
/** Rule 1. */
const MAX_TOKEN_CHARACTERS = 8_000;

/** What a client's upgrade request offered as subprotocols. */
export interface ClientOffer {
  /** Whether the application's own were among them. */
  readonly application: boolean;
  /** Whether the layer's tokens were. */
  readonly fastOpen: boolean;
}

/** What a server reads from the subprotocols of an upgrade request. */
export interface ReceivedOffer {
  /** The application's own, in order. */
  readonly application: readonly string[];
  /** Whether `pqws1` stands there, so that it can be selected. */
  readonly fastOpen: boolean;
  /** The ClientHello that can be answered early, still to be judged as any other; undefined where none counts. */
  readonly clientHello: string | undefined;
}

/** Whether a subprotocol's name is the layer's. In any case: WHATWG takes names that differ in case for repeated ones. */
export function isReserved(protocol: string): boolean {
  const name = protocol.toLowerCase();
  return name === FAST_OPEN_PROTOCOL || name.startsWith(TOKEN_PREFIX);
}

/**
 * The subprotocols of the upgrade request (rule 1).
 * @throws {RangeError} for a hello that is too long for it
 */
export function fastOpenProtocols(application: readonly string[], clientHello: string): string[] {
  const token = TOKEN_PREFIX + toBase64Url(utf8(clientHello));
  if (token.length > MAX_TOKEN_CHARACTERS) throw new RangeError('fastOpen: the hello is too long');
  return [...application, FAST_OPEN_PROTOCOL, token];
}

/** A token counts only if it is well formed, not too long, the only one, and beside one `pqws1`. */
export function readOffer(offered: readonly string[]): ReceivedOffer {
  const names = offered.filter((protocol) => protocol === FAST_OPEN_PROTOCOL);
  const tokens = offered.filter((protocol) => protocol.startsWith(TOKEN_PREFIX));
  const [token] = tokens;
  const isOne = token !== undefined && tokens.length === 1 && names.length === 1;
  const counts = isOne && token.length <= MAX_TOKEN_CHARACTERS;
  const bytes = counts ? fromBase64Url(token.slice(TOKEN_PREFIX.length)) : undefined;
  return {
    application: offered.filter((protocol) => !isReserved(protocol)),
    fastOpen: names.length > 0,
    clientHello: bytes && fromUtf8(bytes),
  };
}

/** Whether a client may go on with what the server selected (rule 6); a client that asked for fast open must get a subprotocol. */
export function isSelectionAllowed(selected: string, offer: ClientOffer): boolean {
  if (selected === '') return !offer.fastOpen;
  if (selected === FAST_OPEN_PROTOCOL) return offer.fastOpen && !offer.application;
  return !isReserved(selected);
}

/** The subprotocol as the application sees it. */
export function applicationProtocol(selected: string): string {
  return isReserved(selected) ? '' : selected;
}

/** RFC 4648 section 5, unpadded. */
function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Strict: what comes out is encoded again and compared. */
function fromBase64Url(text: string): Uint8Array | undefined {
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  const bytes = fromBase64(standard.padEnd(4 * Math.ceil(text.length / 4), '='));
  return bytes !== undefined && toBase64Url(bytes) === text ? bytes : undefined;
}
