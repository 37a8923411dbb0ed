/** An end of this project's own protocol core, set up as a case of the vectors says and asked as a case asks (README.md beside this). */
import { isUtf8 } from 'node:buffer';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { sha256 } from '@noble/hashes/sha2.js';
import type { PQWebSocketError } from '../../src/api/errors.ts';
import { concat, fromUtf8, utf8, writeU64be } from '../../src/base/bytes.ts';
import type { CryptoBackend } from '../../src/crypto/backend.ts';
import { authenticator } from '../../src/protocol/authentication.ts';
import { createClientSession } from '../../src/protocol/client-session.ts';
import { Refusal } from '../../src/protocol/errors.ts';
import { DEFAULT_LIMITS, DEFAULT_REKEY, DEFAULT_YELLOWPAGES } from '../../src/protocol/limits.ts';
import type { CloseOutcome } from '../../src/protocol/outcome.ts';
import { createServerSession } from '../../src/protocol/server-session.ts';
import type { BatchReader, Message, SessionConfig, SessionHost } from '../../src/protocol/session-types.ts';
import type { Session } from '../../src/protocol/session.ts';
import { Batch } from '../../src/protocol/v1/batch.ts';
import { readOffer } from '../../src/protocol/v1/fast-open.ts';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { Yellowpages } from '../../src/protocol/yellowpages/profile.ts';
import { type CaseSetup, type CaseStep, setupOf, wireMessage } from '../reference/cases.ts';
import type { Outputs } from '../reference/peer.ts';
import { CountingBackend } from '../support/counting-backend.ts';
import { Clock, messagesOf } from '../support/session-pair.ts';

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.from(a).equals(Buffer.from(b));

/** A promise that the case ends. */
interface Held {
  readonly ended: Promise<void>;
  end(result: 'ok' | 'refused'): void;
}
function hold(): Held {
  let end: Held['end'] = () => undefined;
  const ended = new Promise<void>((resolve, reject) => {
    end = (result) => {
      if (result === 'ok') resolve();
      else reject(new Error('refused'));
    };
  });
  ended.catch(() => undefined);
  return { ended, end };
}

export class CoreEnd implements SessionHost<string>, BatchReader<string> {
  readonly session: Session<string>;
  readonly #backend: CountingBackend;
  readonly #clock = new Clock();
  #out!: Outputs;
  #held: Held | undefined;
  outcome: CloseOutcome | undefined;
  /** Whether the transport has been closed, by either. */
  #closed = false;
  /** How this end has told the transport to close. */
  #told = { code: 1006, reason: '' };

  /** @param takesBatches whether they are taken apart as they are told of */
  constructor(role: 'client' | 'server', backend: CryptoBackend, setup: CaseSetup, takesBatches = false) {
    this.#backend = new CountingBackend(backend);
    this.#reset();
    const { subprotocols } = setup;
    const wanted = setupOf(setup);
    const { held, pins, fingerprints, verifier, identity, attester, context } = wanted;
    let count = 0;
    const verifying = (): Promise<void> | undefined => (held.includes('verify') ? this.#hold() : undefined);
    const demands = authenticator({
      ...(pins.length + fingerprints.length > 0 && {
        verifySignature: (message: Uint8Array, signature: Uint8Array, key: Uint8Array | undefined) => {
          const candidates = [...pins];
          if (key?.length === 1952 && fingerprints.some((print) => same(print, sha256(key)))) candidates.push(key);
          return signature.length === 3309
            ? candidates.find((pin) => ml_dsa65.verify(signature, message, pin))
            : undefined;
        },
      }),
      ...(verifier && {
        verifyAttestation: (document: Uint8Array, { binary, text }: { binary: Uint8Array; text: Uint8Array }) => {
          if (!verifier(document, [binary, text])) throw new Refusal('PQ_ERR_ATTESTATION_REFUSED');
        },
      }),
    });
    const config: SessionConfig<string> = {
      role,
      backend: this.#backend,
      random: (target) => {
        const counter = new Uint8Array(8);
        writeU64be(counter, count);
        count += 1;
        target.set(concat(utf8(role === 'client' ? 'clnt' : 'srvr'), counter));
        return target;
      },
      now: this.#clock.now,
      limits: {
        ...DEFAULT_LIMITS,
        maxPayload: wanted.maxPayload,
        receivedEpochRecords: wanted.epochRecords,
        rekey: { ...DEFAULT_REKEY, ...setup.rekey },
      },
      padded: padTo(setup.padding ?? 'off'),
      context,
      readText: fromUtf8,
      ...(takesBatches && { batches: this }),
      extensions: () => LiveExtensions,
      keySeed: () => wanted.seed('ml-kem-768', 0),
      encapsulationRandomness: () => wanted.coins('ml-kem-768', 0),
      ...(demands && {
        authenticate: async (finished, hash) => {
          await verifying();
          await demands(finished, hash, 'handshake', undefined);
        },
      }),
      ...((identity !== undefined || attester !== undefined) && {
        prove: async (hash: Uint8Array) => {
          if (held.includes('sign')) await this.#hold();
          const signed = concat(utf8('pq-websocket/1 server identity'), Uint8Array.of(0), hash);
          return {
            ...(identity && {
              signature: ml_dsa65.sign(signed, identity.secretKey, { extraEntropy: false }),
              publicKey: identity.publicKey,
            }),
            ...(attester && {
              attestation: attester(concat(utf8('pq-websocket/1 attestation'), Uint8Array.of(0), hash)),
            }),
          };
        },
      }),
      ...(subprotocols && { earlyHello: readOffer(subprotocols).clientHello }),
      profile: setup.profile === 'both' ? 'either' : (setup.profile ?? 'v1'),
      yellowpages: {
        ...DEFAULT_YELLOWPAGES,
        maxFrames: wanted.frames,
        profile: Yellowpages,
        ...(verifier && {
          verify: async (document: Uint8Array, userData: Uint8Array) => {
            await verifying();
            if (!verifier(document, [userData])) throw new Refusal('PQ_ERR_ATTESTATION_REFUSED');
          },
        }),
        ...(attester && {
          attest: async (userData: Uint8Array) => {
            if (held.includes('sign')) await this.#hold();
            return attester(userData);
          },
        }),
      },
    };
    this.session = (role === 'client' ? createClientSession : createServerSession)(config, this);
  }

  #hold(): Promise<void> {
    this.#held = hold();
    return this.#held.ended;
  }

  #reset(): void {
    this.#out = {
      sends: [],
      delivers: [],
      accepts: false,
      exchanged: undefined,
      answered: [],
      fails: undefined,
      closes: undefined,
    };
  }

  take(): Outputs {
    const out = this.#out;
    this.#reset();
    return out;
  }

  /** @returns what an export came to, where the step asks for one */
  async put(step: CaseStep): Promise<string | undefined> {
    const { session } = this;
    let exported: string | undefined;
    if (step.start) {
      if (session.profile !== undefined && this.#isClient) session.start();
      else session.start();
    } else if (step.receive) session.receive(wireMessage(step.receive));
    else if (step.send) {
      const text = step.send.text as string | undefined;
      if (text === undefined)
        session.send(Kind.BINARY, new Uint8Array(Buffer.from(step.send.binary as string, 'hex')), false);
      else session.send(Kind.TEXT, utf8(text), true);
      session.flush();
    } else if (step.close) {
      const { code, reason = '' } = step.close;
      const before = session.state;
      session.close(code === undefined ? undefined : { code, reason });
      if (before !== session.state && session.state === 'failed') this.#out.closes ??= 'no code';
    } else if (step.finish) this.#held?.end(step.result ?? 'ok');
    else if (step.advance !== undefined) await this.#advance(step.advance);
    else if (step.transportClosed !== undefined) {
      this.#closed = true;
      session.transportClosed(step.transportClosed, undefined, {
        reason: step.reason ?? '',
        wasClean: step.transportClosed !== 1006,
      });
    } else if (step.export) {
      try {
        exported = Buffer.from(await session.channel.exportKey(step.export.label, step.export.length)).toString('hex');
      } catch {
        exported = 'throws';
      }
    }
    await this.#backend.settled();
    return exported;
  }

  get #isClient(): boolean {
    return this.session.state.startsWith('client');
  }

  async #advance(milliseconds: number): Promise<void> {
    const until = this.#clock.time + milliseconds;
    await this.#backend.settled();
    for (let due = this.session.deadline; due !== undefined && due <= until; due = this.session.deadline) {
      this.#clock.time = Math.max(due, this.#clock.time);
      this.session.tick();
      await this.#backend.settled();
      if (this.session.deadline === due) break;
    }
    this.#clock.time = until;
  }

  /** The transport closes, as the end has asked for it, where no step has said so. */
  finish(): CloseOutcome | undefined {
    const { code, reason } = this.#told;
    if (!this.#closed) this.session.transportClosed(code, undefined, { reason, wasClean: code !== 1006 });
    return this.outcome;
  }

  transmit(message: string | Uint8Array): void {
    this.#out.sends.push(typeof message === 'string' ? { text: message } : { frame: message.slice(), kind: 0 });
  }

  opened(): void {
    if (this.session.profile === 'yellowpages') this.#out.accepts = true;
  }

  peerAccepted(): void {
    // In yellowpages that is the first frame that opens, of which no case speaks.
    if (this.session.profile === 'v1') this.#out.accepts = true;
  }

  messages(messages: readonly Message<string>[]): void {
    for (const message of messages)
      this.#out.delivers.push('text' in message ? message : { binary: message.binary.slice() });
  }

  readBatch(content: Uint8Array, maxPayload: number): Iterable<Message<string>> {
    return messagesOf(new Batch(content, maxPayload, isUtf8));
  }

  peerClosing(): void {
    // What it comes to is in the outcome.
  }

  closeTransmitted(): void {
    this.session.closeDrained();
  }

  ended(): void {
    this.#out.closes = 1000;
  }

  closing(content: { code: number; reason: string } | undefined): void {
    this.#out.closes = content?.code ?? 'no code';
    if (content !== undefined) this.#told = content;
  }

  failed(failure: PQWebSocketError): void {
    // As connection/ closes the transport.
    if (failure.code === 'PQ_ERR_CLOSE_TIMEOUT') this.#out.closes = 1000;
    else if (failure.closeCode === undefined) this.#out.closes = 'no code';
    else this.#out.fails = failure.closeCode;
  }

  closed(outcome: CloseOutcome): void {
    this.outcome = outcome;
  }
}
