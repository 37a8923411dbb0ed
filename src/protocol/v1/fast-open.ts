/** Fast open (PROTOCOL.md 13): ClientHello among the subprotocols of the upgrade request. Nothing here keeps state. */
import { ownProperties } from '../../base/own-properties.ts';
import { fromBase64, fromUtf8, toBase64, utf8 } from '../../base/bytes.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { KeyAgreementConfig } from './key-agreement.ts';
import { destroyHello, makeHello } from './key-agreement.ts';
import type { ClientOffer } from './reserved-names.ts';
import { FAST_OPEN_PROTOCOL, isReserved, TOKEN_PREFIX } from './reserved-names.ts';

/** Rule 1. */
const MAX_TOKEN_CHARACTERS = 8_000;

/** What a server reads from the subprotocols of an upgrade request. */
export interface ReceivedOffer {
  /** The application's own, in order. */
  readonly application: readonly string[];
  /** Whether `pqws1` stands there, so that it can be selected. */
  readonly fastOpen: boolean;
  /** The ClientHello that can be answered early, still to be judged as any other; undefined where none counts. */
  readonly clientHello: string | undefined;
}

/** What a client opens its transport with. */
export interface FastOpen<Config> {
  /** With the hello, whose key pairs are the session's. */
  readonly config: Config;
  /** Of the upgrade request. */
  readonly protocols: readonly string[];
  /** Destroys the key pairs, where there is no session in the end. */
  drop(): void;
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

/**
 * @param application its subprotocols
 * @param config of the connection
 * @throws {RangeError} or rejects with one, for a hello that is too long for it
 */
export function openFast<Config extends Omit<KeyAgreementConfig, 'context'>>(
  application: readonly string[],
  config: Config,
): MaybePromise<FastOpen<Config>> {
  return chain(makeHello(ownProperties(config)), (hello) => {
    const drop = (): void => {
      destroyHello(hello);
    };
    const offer: ClientOffer = { application: application.length > 0 };
    try {
      return {
        config: { ...config, hello, offer },
        protocols: fastOpenProtocols(application, hello.clientHello),
        drop,
      };
    } catch (error) {
      drop();
      throw error;
    }
  });
}

export type OpenFast = typeof openFast;

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
