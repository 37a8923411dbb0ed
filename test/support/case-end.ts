/** A session as the vectors' cases drive it: one end, its clock and its randomness, and what it does upon each input. */
import { fromUtf8, utf8 } from '../../src/base/bytes.ts';
import type { PQWebSocketError } from '../../src/api/errors.ts';
import { nodeBackend } from '../../src/crypto/node/backend.ts';
import { nodeSignatures } from '../../src/crypto/node/signature.ts';
import type { Authenticate, Prove, UserData } from '../../src/protocol/authentication.ts';
import { authenticator, clientAuthenticator, clientProver, prover } from '../../src/protocol/authentication.ts';
import { createClientSession } from '../../src/protocol/client-session.ts';
import { DEFAULT_LIMITS, DEFAULT_YELLOWPAGES } from '../../src/protocol/limits.ts';
import type { CloseOutcome } from '../../src/protocol/outcome.ts';
import { createServerSession } from '../../src/protocol/server-session.ts';
import type { Session } from '../../src/protocol/session.ts';
import type { Message, SessionConfig, SessionHost } from '../../src/protocol/session-types.ts';
import { readOffer } from '../../src/protocol/v1/fast-open.ts';
import { LiveExtensions } from '../../src/protocol/v1/extensions.ts';
import type { Feature } from '../../src/protocol/v1/hellos.ts';
import type { CloseContent } from '../../src/protocol/v1/record.ts';
import { padTo } from '../../src/protocol/v1/padding.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { Yellowpages } from '../../src/protocol/yellowpages/profile.ts';
import type { CaseSetup, End } from '../reference/cases.ts';
import { setupOf } from '../reference/cases.ts';
import { fingerprintOf } from '../reference/hellos.ts';
import type { Outputs, Seen, Setup } from '../reference/peer.ts';
import { same } from '../reference/text.ts';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';

export class CaseEnd implements End, SessionHost<string> {
  readonly #session: Session<string>;
  #now = 1_000;
  #out: Outputs = fresh();
  #outcome: CloseOutcome | undefined;
  /** With what the session has told the transport to close. */
  #closedTransport: { readonly code: number; readonly reason: string } | undefined;
  /** What waits for a `finish`. */
  #held: ((ok: boolean) => void)[] = [];
  #generation = 0;
  #nonces = 0;
  readonly #role: 'client' | 'server';

  constructor(role: 'client' | 'server', given: CaseSetup) {
    const setup = setupOf(given);
    this.#role = role;
    const offer = readOffer(setup.subprotocols);
    const features = new Set<Feature>();
    if (setup.exchange !== undefined) features.add('exchange');
    if (role === 'client' ? setup.identity !== undefined : setup.clientKeys !== undefined)
      features.add('client_identity');
    if (setup.heartbeat !== undefined) features.add('heartbeat');
    const prefix = utf8(role === 'client' ? 'clnt' : 'srvr');
    const config: SessionConfig<string> = {
      role,
      backend: nodeBackend,
      now: () => this.#now,
      random: (target) => {
        target.set(prefix);
        new DataView(target.buffer, target.byteOffset).setBigUint64(4, BigInt(this.#nonces));
        this.#nonces += 1;
        return target;
      },
      limits: {
        ...DEFAULT_LIMITS,
        maxPayload: setup.maxPayload,
        rekey: setup.rekey,
        receivedEpochRecords: setup.epochRecords,
      },
      padded: padTo(setup.padding ?? 'off'),
      context: setup.context,
      readText: fromUtf8,
      kems: setup.kems,
      features,
      exchange: setup.exchange === undefined ? undefined : { milliseconds: setup.exchange, timeout: 60_000 },
      heartbeat: typeof setup.heartbeat === 'object' ? setup.heartbeat : undefined,
      extensions: () => LiveExtensions,
      keySeed: setup.seed,
      encapsulationRandomness: setup.coins,
      authenticate: this.#authenticate(setup),
      prove: this.#prove(setup),
      earlyHello: role === 'server' ? offer.clientHello : undefined,
      offer: offer.fastOpen ? { application: offer.application.length > 0 } : undefined,
      profile: given.profile === 'both' ? 'either' : given.profile,
      yellowpages: {
        ...DEFAULT_YELLOWPAGES,
        maxFrames: setup.frames,
        profile: Yellowpages,
        verify:
          setup.verifier &&
          ((document, userData): void | Promise<void> =>
            this.#whenFinished(setup.held.includes('verify'), () => {
              if (!setup.verifier?.(document, [userData])) throw new Error('refused');
            })),
        attest:
          setup.attester &&
          ((userData): Uint8Array | Promise<Uint8Array> =>
            this.#whenFinished(setup.held.includes('sign'), () => setup.attester?.(userData) as Uint8Array)),
      },
    };
    this.#session = (role === 'client' ? createClientSession : createServerSession)(config, this);
    if (offer.fastOpen) this.#session.start();
  }

  get seen(): Seen | undefined {
    // Where no step says how, the transport does what it was told.
    const told = this.#closedTransport;
    if (this.#outcome === undefined && told !== undefined) this.transportClosed(told.code, told.reason);
    const { code, reason, wasClean } = this.#outcome ?? { code: undefined, reason: '', wasClean: false };
    return code === undefined ? undefined : { code, reason, wasClean };
  }

  start(): void {
    if (this.#role === 'client') this.#session.start();
    else this.#session.start();
  }

  receive(message: string | Uint8Array): void {
    this.#session.receive(message);
  }

  send(message: { text: string } | { binary: Uint8Array }): void {
    if ('text' in message) this.#session.send(Kind.TEXT, utf8(message.text), true);
    else this.#session.send(Kind.BINARY, message.binary, false);
    this.#session.flush();
  }

  close({ code, reason }: { code: number | undefined; reason: string }): void {
    this.#session.close(code === undefined ? undefined : { code, reason });
  }

  exchange(): void {
    this.#session.channel.exchange().catch(() => undefined);
  }

  ping(content: Uint8Array): void {
    this.#session.channel.ping(content).then(
      (pong) => this.#out.answered.push(pong),
      () => undefined,
    );
  }

  finish(ok: boolean): void {
    this.#held.shift()?.(ok);
  }

  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let next = this.#session.deadline; next !== undefined && next <= end; next = this.#session.deadline) {
      this.#now = Math.max(this.#now, next);
      this.#session.tick();
      if (this.#session.deadline === next) break;
    }
    this.#now = end;
  }

  transportClosed(code: number, reason: string): void {
    this.#session.transportClosed(code, undefined, { reason, wasClean: code !== 1006 });
  }

  exportKey(label: string, length: number): Uint8Array {
    return this.#session.channel.exportKey(label, length) as Uint8Array;
  }

  /** What it has done since it was last asked. */
  take(): Outputs {
    if (this.#session.channel.generation !== this.#generation) {
      this.#generation = this.#session.channel.generation;
      this.#out.exchanged = this.#generation;
    }
    const out = this.#out;
    this.#out = fresh();
    return out;
  }

  // What the session tells its host.

  transmit(message: string | Uint8Array): void {
    this.#out.sends.push(typeof message === 'string' ? { text: message } : { frame: message.slice(), kind: -1 });
  }

  opened(): void {
    if (this.#session.profile === 'yellowpages') this.#out.accepts = true;
  }

  peerAccepted(): void {
    if (this.#session.profile === 'v1') this.#out.accepts = true;
  }

  messages(messages: readonly Message<string>[]): void {
    for (const message of messages) {
      if (this.#session.state !== 'open') return;
      this.#out.delivers.push('text' in message ? message : { binary: message.binary.slice() });
    }
  }

  peerClosing(): void {}

  closeTransmitted(): void {
    this.#session.closeDrained();
  }

  ended(): void {
    this.#closedTransport = { code: 1000, reason: '' };
    this.#out.closes = 1000;
  }

  closing(content: CloseContent): void {
    this.#closedTransport = content ?? { code: 1005, reason: '' };
    this.#out.closes = content?.code ?? 'no code';
  }

  failed({ closeCode, code }: PQWebSocketError): void {
    this.#closedTransport = { code: closeCode ?? 1005, reason: '' };
    if (closeCode !== undefined) this.#out.fails = closeCode;
    else this.#out.closes = code === 'PQ_ERR_CLOSE_TIMEOUT' ? 1000 : 'no code';
  }

  closed(outcome: CloseOutcome): void {
    this.#outcome = outcome;
  }

  #whenFinished<T>(isHeld: boolean, act: () => T): T | Promise<T> {
    if (!isHeld) return act();
    return new Promise((resolve, reject) => {
      this.#held.push((ok) => {
        try {
          if (!ok) throw new Error('refused');
          resolve(act());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #authenticate({ pins, fingerprints, verifier, clientKeys, held }: Setup): Authenticate | undefined {
    const isHeld = held.includes('verify');
    const verify = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
      nodeSignatures().verify(key, message, signature);
    if (this.#role === 'server') {
      if (clientKeys === undefined) return undefined;
      return clientAuthenticator({
        verify: (...given) => this.#whenFinished(isHeld, () => verify(...given)),
        accept: (key) => clientKeys(key),
      });
    }
    const demandsSignature = pins.length + fingerprints.length > 0;
    return authenticator({
      verifySignature: demandsSignature
        ? (message, signature, sent, only): Uint8Array | undefined | Promise<Uint8Array | undefined> =>
            this.#whenFinished(isHeld, () => {
              const isSent = sent && fingerprints.some((print) => same(print, fingerprintOf(sent)));
              const keys = only === undefined ? [...pins, ...(isSent === true ? [sent] : [])] : [only];
              return keys.find((key) => verify(key, message, signature));
            })
        : undefined,
      verifyAttestation:
        verifier &&
        ((document, { binary, text }): void => {
          if (!verifier(document, [binary, text])) throw new Error('refused');
        }),
    });
  }

  #prove({ identity, attester, held }: Setup): Prove | undefined {
    const isHeld = held.includes('sign');
    const sign =
      identity &&
      ((
        message: Uint8Array,
      ): { signature: Uint8Array; publicKey: Uint8Array } | Promise<{ signature: Uint8Array; publicKey: Uint8Array }> =>
        this.#whenFinished(isHeld, () => ({
          signature: ml_dsa65.sign(message, identity.secretKey, { extraEntropy: false }),
          publicKey: identity.publicKey,
        })));
    if (this.#role === 'client') return sign && clientProver(sign);
    return prover({ sign, attest: attester && (({ binary }: UserData): Uint8Array => attester(binary)) });
  }
}

function fresh(): Outputs {
  return {
    sends: [],
    delivers: [],
    accepts: false,
    exchanged: undefined,
    answered: [],
    fails: undefined,
    closes: undefined,
  };
}
