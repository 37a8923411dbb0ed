/** Browsers, their workers, and workerd: one platform, whose seldom used parts come from wherever a build keeps them. */
import type { CryptoBackend, RandomSource } from '../crypto/backend.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { deferredBackend } from '../crypto/deferred.ts';
import { postTask } from '../base/next-task.ts';
import type { OtherKems, PortableKem } from '../crypto/portable-kem.ts';
import { webcryptoBackend } from '../crypto/webcrypto/backend.ts';
import type { Encapsulating } from '../crypto/webcrypto/subtle.ts';
import { fromUtf8 } from '../base/bytes.ts';
import { Refusal } from '../protocol/errors.ts';
import { attempt } from '../base/maybe-promise.ts';
import type { Platform } from './platform.ts';
import { Set } from '../base/captured.ts';
import { ownProperties } from '../base/own-properties.ts';

/**
 * What a page may never need, each loaded when it is first asked for, and asked for again after it has failed: with `PQ_ERR_LOAD` and a cause
 * that names what is missing.
 */
export interface WebParts extends Pick<Platform, 'signatures' | 'extensions' | 'clientAuthentication' | 'yellowpages'> {
  /** ML-KEM-768 for engines that have none. */
  readonly kem: () => MaybePromise<PortableKem>;
  /** The KEMs beside it. */
  readonly otherKems: () => MaybePromise<OtherKems>;
  /** What no client needs. */
  readonly encapsulation: () => MaybePromise<Encapsulating>;
  /** For pages without crypto.subtle: everything. */
  readonly portable: () => MaybePromise<CryptoBackend>;
}

export function webPlatform(parts: WebParts): Platform {
  let backend: CryptoBackend | undefined;
  let crypto = globalThis.crypto && taken(globalThis.crypto);
  const present = (): Crypto => (crypto ??= taken(globalThis.crypto));
  const random: RandomSource = (target) =>
    present().getRandomValues(target as Uint8Array<ArrayBuffer>) as typeof target;
  return ownProperties<Platform>({
    signatures: parts.signatures,
    extensions: parts.extensions,
    clientAuthentication: parts.clientAuthentication,
    yellowpages: parts.yellowpages,
    backend() {
      const subtle = present().subtle as SubtleCrypto | undefined;
      // A page without a secure context (plain http) has no crypto.subtle: W3C Secure Contexts.
      backend ??=
        subtle === undefined
          ? deferredBackend('noble', async () => parts.portable())
          : webcryptoBackend(subtle, parts.kem, random, parts.otherKems, parts.encapsulation);
      return backend;
    },
    random,
    fallbackWebSocket: () => undefined,
    transportOptions: new Set(),
    toBuffer: (bytes) => bytes,
    isUtf8: (bytes) => fromUtf8(bytes) !== undefined,
    queueTask: postTask,
    warn: (line) => {
      console.warn(line);
    },
  });
}

/** A platform object as it is now: what a page puts in the place of its methods later sees no key and no message. */
function taken<T extends object>(object: T): T {
  const copy: Record<string, unknown> = { __proto__: null };
  // Web IDL: operations and attributes are enumerable, on the prototype.
  for (const name in object) {
    // What a page has put there every object has, this one's own members too, and theirs.
    if (name in Object.prototype) continue;
    const member = object[name] as unknown;
    if (typeof member === 'function') copy[name] = member.bind(object) as unknown;
    // crypto.subtle
    else copy[name] = typeof member === 'object' && member !== null ? taken(member) : member;
  }
  return copy as T;
}

/** `load`; its failure has a code of its own and names what is missing. */
export function part<T>(name: string, load: () => MaybePromise<T>): () => MaybePromise<T> {
  return () =>
    attempt(load, (error) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Refusal('PQ_ERR_LOAD', {
        cause: new Error(`${name} could not be loaded: ${reason}`, { cause: error }),
      });
    });
}
