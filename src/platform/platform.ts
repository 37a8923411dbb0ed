/** What differs between runtimes, as one interface. `#platform` is `node.ts` or `web.ts`, by export condition. */
import type { CryptoBackend, RandomSource } from '../crypto/backend.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { SignatureScheme } from '../crypto/signature.ts';
import type { ClientAuthentication } from '../protocol/client-authentication.ts';
import type { ExtensionsMaker } from '../protocol/v1/extension-types.ts';
import type { Mask } from './node-frames/mask.ts';
import type { Deliveries } from './node-frames/pieces.ts';
import type { ProfileMaker } from '../protocol/session-types.ts';

/** A WebSocket constructor, WHATWG-shaped; `options` is what npm `ws` takes as its third argument. */
export type WebSocketConstructor = new (url: string, protocols?: string | string[], options?: object) => object;

export interface Platform {
  /**
   * The backend for a new connection.
   * @param native whether pq-websocket-native is demanded or refused; absent where it may be either
   * @throws {Error} when it is demanded and not there
   */
  readonly backend: (native?: boolean) => CryptoBackend;
  /** The CSPRNG, through a pool where a call to it is dear. */
  readonly random: RandomSource;
  /** Memory for frames that `writeFrame` writes: so many bytes that only the caller sees. Absent: fresh memory does. */
  readonly takeFrame?: (length: number) => Uint8Array;
  /** ML-DSA-65. Loaded when it is first asked for where the code's size counts. */
  readonly signatures: () => MaybePromise<SignatureScheme>;
  /** Exchange, heartbeat and exporter of v1. Loaded when it is first asked for where the code's size counts. */
  readonly extensions: () => MaybePromise<ExtensionsMaker>;
  /** What judges a server, or proves a client. Loaded when it is first asked for where the code's size counts. */
  readonly clientAuthentication: () => MaybePromise<ClientAuthentication>;
  /** The profile yellowpages, for clients. Loaded when it is first asked for where the code's size counts. */
  readonly yellowpages: () => MaybePromise<ProfileMaker>;
  /** The WebSocket class for where there is no global one, and for connections that need npm `ws` options. */
  readonly fallbackWebSocket: () => WebSocketConstructor | undefined;
  /** Names of the options that only npm `ws` understands; empty where it cannot run. */
  readonly transportOptions: ReadonlySet<string>;
  /** What a `ws`-style listener gets for received bytes: a Buffer on Node, without a copy. */
  readonly toBuffer: (bytes: Uint8Array) => Uint8Array;
  readonly isUtf8: (bytes: Uint8Array) => boolean;
  /**
   * Runs `act` as a task of its own, or undefined where the platform's own WebSocket fires the events of several
   * frames from one task (Node).
   */
  readonly queueTask: ((act: () => void) => void) | undefined;
  /**
   * Writes a sealed frame straight to the network beneath an npm `ws` socket.
   * @returns whether it did; otherwise `ws` has to send it
   */
  readonly writeFrame?: (ws: object, frame: Uint8Array, done?: (error?: Error) => void) => boolean;
  /** What masks frames faster than a loop, once there is such a thing. */
  readonly fastMask?: () => Mask | undefined;
  /** Lets what is sent over an npm `ws` socket until this turn is over go in one write, where its network is known. */
  readonly joinFrames?: (ws: object) => void;
  /** Has what waits for that written now. */
  readonly writeJoined?: (ws: object) => void;
  /** Whether nobody else looks at what an npm `ws` socket reads, so that it may be overwritten where it stands. */
  readonly readsAlone?: (ws: object) => boolean;
  /**
   * Has memory of what an npm `ws` socket joins to large messages given back as soon as nobody needs it.
   * @param message what the socket delivers at present
   * @returns is to be told of each message, that one too; undefined where there is nothing to give back, for now
   */
  readonly giveBackJoined?: (ws: object, message: unknown) => Deliveries | undefined;
  /** Writes a line where a page's developer looks, as the platform does for a WebSocket of its own that failed. */
  readonly warn?: (line: string) => void;
  /** Makes structured clone refuse an object, where EventTarget is no platform object that it refuses by itself. */
  readonly refuseClone?: (object: object) => void;
}
