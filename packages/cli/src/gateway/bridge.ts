/**
 * Carries one conversation between its two legs: messages with their kinds, pings, pongs, closes and cuts, each as
 * what it is. No promise and no callback a message: what a leg cannot take yet waits in its network socket, and from
 * the high-water mark on the other leg is not read.
 */
import type { Duplex } from 'node:stream';
import type { PlainWebSocket } from 'pq-websocket/proxy';
import { sendOwned, sendPlain } from 'pq-websocket/proxy';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import type { Turns } from './turns.ts';
import { SHARE_BYTES } from './turns.ts';

/** RFC 6455 7.4.1: no code was present; the connection was cut. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;
const GOING_AWAY = 1001;
/** How long a leg that was cut may take to send what it already had, and the peer to hang up, in milliseconds. */
const LINGER = 30_000;
/** The same where the gateway itself is ending. */
const SHORT_LINGER = 3_000;

const NOTHING = Buffer.alloc(0);

/** Messages and bytes of the application, for metrics; shared by all bridges. */
export interface Traffic {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
  /** How often a leg stopped being read because the other could not take more. */
  pauses: number;
}

type Leg = 'client' | 'upstream';

export type BridgeEnd =
  | 'client-closed'
  | 'client-cut'
  | 'client-failed'
  | 'upstream-closed'
  | 'upstream-cut'
  | 'upstream-failed'
  | 'gateway-failed'
  | 'idle'
  | 'drained';

export interface BridgeLegs {
  readonly client: WsStyleWebSocket;
  readonly clientNetwork: Duplex;
  readonly upstream: PlainWebSocket;
  readonly upstreamNetwork: Duplex;
}

export class Bridge {
  /** On the caller's clock: when anything last moved. */
  lastActive: number;
  #state: 'waiting' | 'forwarding' | 'leaving' | 'over' = 'waiting';
  #end: BridgeEnd | undefined;
  /** The data of the backend's ping that the client has not answered. RFC 6455 5.5.3: the most recent is enough. */
  #unanswered: Buffer | undefined;
  /** Pings sent to the backend in the client's name, which the gateway's own leg has answered there. */
  #answeredAhead = 0;
  readonly #pausedLegs = new Set<Leg>();
  readonly #restingLegs = new Set<Leg>();
  readonly #sinceRest = { client: 0, upstream: 0 };
  #openLegs = 2;
  #isCorked = false;

  /**
   * @param highWater bytes waiting on one leg's network socket from which the other leg is not read
   * @param turns shared by all bridges
   * @param now milliseconds, coarse
   * @param over called once, when both legs are closed
   */
  constructor(
    private readonly legs: BridgeLegs,
    private readonly traffic: Traffic,
    private readonly highWater: number,
    private readonly turns: Turns,
    private readonly now: () => number,
    private readonly over: (end: BridgeEnd) => void,
  ) {
    this.lastActive = now();
    this.#listen();
    // What a stranger's replayed hello opened must not eat the backend's messages.
    provedLive(legs.client).then(
      () => {
        if (this.#state === 'waiting') this.#state = 'forwarding';
        legs.upstream.resume();
      },
      () => undefined,
    );
    // It may have gone while the client's handshake ran.
    if (legs.upstream.readyState === legs.upstream.CLOSED) this.#upstreamClosed(ABNORMAL, NOTHING);
  }

  get isLeaving(): boolean {
    return this.#state === 'leaving';
  }

  /** Bytes that either leg's network has not taken yet. */
  get bufferedBytes(): number {
    const { clientNetwork, upstreamNetwork } = this.legs;
    return clientNetwork.writableLength + upstreamNetwork.writableLength;
  }

  /**
   * Says 1001 to the backend, passes on all that it had sent, then says 1001 to the client.
   * @param end why, for the log
   */
  leave(end: 'idle' | 'drained'): void {
    if (this.#state === 'leaving' || this.#state === 'over') return;
    this.#state = 'leaving';
    this.#end ??= end;
    const { client, upstream } = this.legs;
    this.#pausedLegs.delete('client');
    client.resume();
    if (upstream.readyState === upstream.CLOSED) client.close(GOING_AWAY);
    else upstream.close(GOING_AWAY);
  }

  /** For a bridge that has not ended on its own: the client gets its 1001 if it still reads, and both legs are cut. */
  force(): void {
    if (this.#state === 'over') return;
    this.legs.upstream.terminate();
    this.legs.client.close(GOING_AWAY);
    queueMicrotask(() => {
      cut(this.legs.clientNetwork, this.legs.client, SHORT_LINGER);
    });
  }

  #listen(): void {
    const { client, clientNetwork, upstream, upstreamNetwork } = this.legs;
    // Both libraries report what goes wrong again in 'close'.
    client.on('error', () => undefined);

    client.on('message', (data: Buffer, isBinary: boolean) => {
      this.traffic.messagesIn += 1;
      this.traffic.bytesIn += data.length;
      this.lastActive = this.now();
      this.#forward(data, isBinary);
      this.#relieve(upstreamNetwork, 'client');
      this.#share('client', data.length);
    });
    upstream.on('message', (data: Buffer, isBinary) => {
      // What comes behind the client's close has nowhere to go.
      if (client.readyState !== client.OPEN) return;
      const bytes = data.length;
      this.traffic.messagesOut += 1;
      this.traffic.bytesOut += bytes;
      this.lastActive = this.now();
      // Nobody else has what was just received.
      sendOwned(client, data, isBinary);
      this.#relieve(clientNetwork, 'upstream');
      this.#share('upstream', bytes);
    });
    upstreamNetwork.on('drain', () => {
      this.#drained('client');
    });
    clientNetwork.on('drain', () => {
      this.#drained('upstream');
    });
    this.#listenForPings();
    client.on('close', (code: number, reason: Buffer) => {
      this.#clientClosed(code, reason);
    });
    upstream.on('close', (code, reason) => {
      this.#upstreamClosed(code, reason);
    });
  }

  /** What the client says in one turn, as a batch is, goes to the backend in one write. */
  #forward(message: Buffer, isBinary: boolean): void {
    const { upstream, upstreamNetwork } = this.legs;
    if (!this.#isCorked) {
      this.#isCorked = true;
      upstreamNetwork.cork();
      queueMicrotask(() => {
        this.#isCorked = false;
        upstreamNetwork.uncork();
      });
    }
    // Nobody else has what was just opened.
    sendPlain(upstream, message, isBinary);
  }

  /**
   * A backend's ping is answered when the client answers, so that it tells of the client. The client's is answered here,
   * since no pong of ours carries data, and shown to the backend. No data passes: control frames are not sealed.
   */
  #listenForPings(): void {
    const { client, clientNetwork, upstream, upstreamNetwork } = this.legs;
    upstream.on('ping', (data) => {
      this.lastActive = this.now();
      this.#unanswered = data;
      client.ping();
      this.#relieve(clientNetwork, 'upstream');
    });
    client.on('pong', () => {
      this.lastActive = this.now();
      upstream.pong(this.#unanswered ?? NOTHING);
      this.#unanswered = undefined;
      this.#relieve(upstreamNetwork, 'client');
    });
    client.on('ping', () => {
      this.lastActive = this.now();
      this.#answeredAhead += 1;
      upstream.ping();
      this.#relieve(upstreamNetwork, 'client');
    });
    upstream.on('pong', () => {
      this.lastActive = this.now();
      if (this.#answeredAhead > 0) this.#answeredAhead -= 1;
      else client.pong();
    });
  }

  /** Lets the other conversations have their turn once `source` has said so much. */
  #share(source: Leg, bytes: number): void {
    this.#sinceRest[source] += bytes;
    if (this.#sinceRest[source] < SHARE_BYTES || this.#restingLegs.has(source)) return;
    this.#restingLegs.add(source);
    this.legs[source].pause();
    this.turns.wait(() => {
      this.#sinceRest[source] = 0;
      this.#restingLegs.delete(source);
      if (!this.#pausedLegs.has(source)) this.legs[source].resume();
    });
  }

  /** Stops reading `source` while `full` has too much to send. */
  #relieve(full: Duplex, source: Leg): void {
    if (full.writableLength < this.highWater || this.#pausedLegs.has(source)) return;
    // Who leaves reads to the end: what was sent before has to pass, and no more is coming.
    if (source === 'client' && this.#state === 'leaving') return;
    this.#pausedLegs.add(source);
    this.traffic.pauses += 1;
    this.legs[source].pause();
  }

  #drained(source: Leg): void {
    this.lastActive = this.now();
    if (this.#pausedLegs.delete(source) && !this.#restingLegs.has(source)) this.legs[source].resume();
  }

  #clientClosed(code: number, reason: Uint8Array): void {
    const { client, upstream, upstreamNetwork } = this.legs;
    const { failure } = client.pq;
    if (failure === null) this.#end ??= 'client-closed';
    else this.#end ??= failure.origin === 'local' ? 'client-failed' : 'client-cut';
    // Whatever the backend still says has nowhere to go, but its close has to be read.
    upstream.resume();
    if (failure !== null) cut(upstreamNetwork, upstream);
    else closeLeg(upstream, code, reason);
    this.#legClosed();
  }

  #upstreamClosed(code: number, reason: Uint8Array): void {
    const { client, clientNetwork } = this.legs;
    if (this.#state === 'leaving') {
      client.close(GOING_AWAY);
    } else {
      this.#end ??= code === ABNORMAL ? 'upstream-cut' : 'upstream-closed';
      // The client's answer to the close has to be read.
      client.resume();
      if (code === ABNORMAL) {
        // What is sealed in this turn goes first.
        queueMicrotask(() => {
          cut(clientNetwork, client);
        });
      } else closeLeg(client, code, reason);
    }
    this.#legClosed();
  }

  #legClosed(): void {
    this.#openLegs -= 1;
    if (this.#openLegs > 0) return;
    this.#state = 'over';
    this.over(this.#end ?? 'client-cut');
  }
}

/**
 * Resolves when the client has proved itself live; rejects when it never does. yellowpages has no such proof but the
 * client's first message, and a backend may be the one who speaks first.
 */
export function provedLive({ pq }: WsStyleWebSocket): Promise<void> {
  return pq.profile === 'yellowpages' ? Promise.resolve() : pq.finished;
}

function closeLeg(leg: WsStyleWebSocket | PlainWebSocket, code: number, reason: Uint8Array): void {
  if (code === NO_STATUS) leg.close();
  else leg.close(code, reason as Buffer);
}

/**
 * Ends a connection without a close, behind what was already handed to the network.
 * @param linger milliseconds that this may take
 */
export function cut(network: Duplex, leg: { terminate(): void }, linger = LINGER): void {
  if (network.destroyed) {
    leg.terminate();
    return;
  }
  network.end();
  const timer = setTimeout(() => {
    leg.terminate();
  }, linger);
  timer.unref();
  network.once('close', () => {
    clearTimeout(timer);
  });
}
