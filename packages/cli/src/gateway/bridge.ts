/**
 * Carries one conversation between its two legs: messages with their kinds, pings, pongs, closes and cuts, each as
 * what it is. No promise and no callback a message: what a leg cannot take yet waits in its network socket, and from
 * the high-water mark on the other leg is not read.
 */
import type { Duplex } from 'node:stream';
import type { Deliveries } from 'pq-websocket/proxy';
import { countBytes, giveBackJoined, holdCloseAnswer, PlainSender, recordsOpened, sendOwned } from 'pq-websocket/proxy';
import type { WsStyleWebSocket } from 'pq-websocket/ws';
import { guarded } from './guarded.ts';
import { Cost, Share } from './turns.ts';
import type { Turns } from './turns.ts';
import type { PlainLeg } from './plain-leg.ts';

/** RFC 6455 7.4.1: no code was present; the connection was cut. */
const NO_STATUS = 1005;
const ABNORMAL = 1006;
const GOING_AWAY = 1001;
/** How long a leg that was cut may take to send what it already had, and the peer to hang up, in milliseconds. */
const LINGER = 30_000;
/** The same where the gateway itself is ending, and for an upstream that has said what it may not. */
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
  readonly upstream: PlainLeg;
  readonly upstreamNetwork: Duplex;
  /** What the client has said before there was an upstream. */
  readonly early?: EarlyWords;
}

/** In order; a close comes last. */
export interface EarlyWords {
  readonly messages: readonly { readonly data: Buffer; readonly isBinary: boolean }[];
  readonly close: { readonly code: number; readonly reason: string; readonly answer: () => void } | undefined;
}

export interface BridgeParts {
  readonly traffic: Traffic;
  /** Bytes waiting on one leg's network socket from which the other leg is not read. */
  readonly highWater: number;
  /** Shared by all bridges. */
  readonly turns: Turns;
  /** Milliseconds, coarse. */
  now(): number;
  /** A fault of the gateway's own has ended the conversation. */
  failed(error: unknown): void;
  /** Called once, when both legs are closed. */
  over(end: BridgeEnd): void;
}

export class Bridge {
  /** On the caller's clock: when anything last moved. */
  lastActive: number;
  #state: 'waiting' | 'forwarding' | 'leaving' | 'over' = 'waiting';
  #end: BridgeEnd | undefined;
  /** The client's close is with the upstream: this sends its answer. */
  #answerClient: (() => void) | undefined;
  /** The data of the upstream's ping that the client has not answered. RFC 6455 5.5.3: the most recent is enough. */
  #unanswered: Buffer | undefined;
  /** Pings sent to the upstream in the client's name, which the gateway's own leg has answered there. */
  #answeredAhead = 0;
  readonly #pausedLegs = new Set<Leg>();
  readonly #shares: Record<Leg, Share>;
  readonly #toUpstream: PlainSender;
  #fromUpstream: Deliveries | undefined;
  #recordsOpened: number;
  #openLegs = 2;
  /** When what the client says in one go began to be passed on, until it is. */
  #goBegan: number | undefined;

  constructor(
    private readonly legs: BridgeLegs,
    private readonly parts: BridgeParts,
  ) {
    const { client, upstream } = legs;
    this.lastActive = parts.now();
    this.#toUpstream = new PlainSender(upstream);
    this.#recordsOpened = recordsOpened(client);
    this.#shares = { client: this.#shareOf('client'), upstream: this.#shareOf('upstream') };
    this.#listen();
    this.#hear(legs.early);
    // What a stranger's replayed hello opened must not eat the upstream's messages.
    provedLive(client).then(
      () => {
        if (this.#state === 'waiting') this.#state = 'forwarding';
        upstream.resume();
      },
      () => undefined,
    );
    // It may have gone while the client's handshake ran.
    if (upstream.readyState === upstream.CLOSED) this.#upstreamClosed(ABNORMAL);
  }

  #hear(early: EarlyWords | undefined): void {
    if (early === undefined) return;
    for (const { data, isBinary } of early.messages) this.#clientSaid(data, isBinary);
    if (early.close !== undefined) this.#clientCloses(early.close.code, early.close.reason, early.close.answer);
    else this.#read('client');
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
   * Says 1001 to the upstream, passes on all that it had sent, then says 1001 to the client.
   * @param end why, for the log
   */
  leave(end: 'idle' | 'drained'): void {
    if (this.#state === 'leaving' || this.#state === 'over') return;
    this.#state = 'leaving';
    this.#end ??= end;
    const { client, upstream } = this.legs;
    this.#read('client');
    if (upstream.readyState === upstream.CLOSED) client.close(GOING_AWAY);
    // Its own close, and the client's answer to it, are under way.
    else if (!upstream.owesAnswer) this.#sayToUpstream(GOING_AWAY, NOTHING);
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
    // 'close' tells of it again.
    client.on('error', () => undefined);
    client.on('message', this.#guarded(this.#clientSaid));
    client.on('close', this.#guarded(this.#clientClosed));
    holdCloseAnswer(client, this.#guarded(this.#clientCloses));
    upstream.on('message', this.#guarded(this.#upstreamSaid));
    upstream.on('error', this.#guarded(this.#upstreamFailed));
    upstream.on('close', this.#guarded(this.#upstreamClosed));
    upstream.listenForClose({
      closes: this.#guarded(this.#upstreamCloses),
      answers: this.#guarded(this.#upstreamAnswered),
    });
    // All that comes, also what becomes no message: control frames, fragments, padding.
    countBytes(clientNetwork, (bytes) => {
      this.#shares.client.add(bytes);
    });
    countBytes(upstreamNetwork, (bytes) => {
      this.#shares.upstream.add(bytes);
    });
    upstreamNetwork.on('drain', () => {
      this.#drained('client');
    });
    clientNetwork.on('drain', () => {
      this.#drained('upstream');
    });
    this.#listenForPings();
  }

  /** What one conversation throws ends that one. */
  #guarded<Arguments extends readonly unknown[]>(act: (...args: Arguments) => void): (...args: Arguments) => void {
    return guarded<Arguments>(act.bind(this), (error: unknown) => {
      this.parts.failed(error);
      this.#end ??= 'gateway-failed';
      this.force();
    });
  }

  #clientSaid(data: Buffer, isBinary: boolean): void {
    const { traffic } = this.parts;
    const { client, upstream, upstreamNetwork } = this.legs;
    traffic.messagesIn += 1;
    traffic.bytesIn += data.length;
    const now = this.parts.now();
    this.lastActive = now;
    const began = this.#goBegan ?? this.#corkUpstream(now);
    // Nobody else has what was just opened.
    if (upstream.readyState === upstream.OPEN) this.#toUpstream.send(data, isBinary);
    this.#relieve(upstreamNetwork, 'client');
    const records = recordsOpened(client) - this.#recordsOpened;
    this.#recordsOpened += records;
    const silent = Math.max(0, records - 1);
    const cost = Cost.MESSAGE + (records - silent) * Cost.RECORD + silent * Cost.SILENT_RECORD;
    this.#shares.client.add(0, cost, now - began);
  }

  #upstreamSaid(data: Buffer, isBinary: boolean): void {
    const { traffic } = this.parts;
    const { client, clientNetwork, upstream } = this.legs;
    this.#fromUpstream ??= giveBackJoined(upstream, data);
    this.#fromUpstream?.(data);
    this.#shares.upstream.add(0, Cost.MESSAGE);
    // What comes behind the client's close has nowhere to go.
    if (client.readyState !== client.OPEN) return;
    traffic.messagesOut += 1;
    traffic.bytesOut += data.length;
    this.lastActive = this.parts.now();
    // Nobody else has what was just received.
    sendOwned(client, data, isBinary);
    this.#relieve(clientNetwork, 'upstream');
  }

  /** What the client says in one go, as a batch is, goes to the upstream in one write. @returns when it began */
  #corkUpstream(now: number): number {
    this.#goBegan = now;
    this.legs.upstreamNetwork.cork();
    queueMicrotask(() => {
      this.#goBegan = undefined;
      this.#toUpstream.flush();
      this.legs.upstreamNetwork.uncork();
    });
    return now;
  }

  /**
   * An upstream's ping is answered when the client answers, so that it tells of the client. The client's is answered here,
   * since no pong of ours carries data, and shown to the upstream. No data passes: control frames are not sealed.
   */
  #listenForPings(): void {
    const { client, clientNetwork, upstream, upstreamNetwork } = this.legs;
    const control = (source: Leg, full: Duplex, act: () => void): void => {
      this.lastActive = this.parts.now();
      // Behind what was said before it.
      if (source === 'client') this.#toUpstream.flush();
      act();
      this.#relieve(full, source);
      this.#shares[source].add(0, Cost.CONTROL);
    };
    upstream.on(
      'ping',
      this.#guarded((data: Buffer) => {
        control('upstream', clientNetwork, () => {
          this.#unanswered = data;
          client.ping();
        });
      }),
    );
    client.on(
      'pong',
      this.#guarded(() => {
        control('client', upstreamNetwork, () => {
          upstream.pong(this.#unanswered ?? NOTHING);
          this.#unanswered = undefined;
        });
      }),
    );
    client.on(
      'ping',
      this.#guarded(() => {
        control('client', upstreamNetwork, () => {
          this.#answeredAhead += 1;
          upstream.ping();
        });
      }),
    );
    upstream.on(
      'pong',
      this.#guarded(() => {
        control('upstream', clientNetwork, () => {
          if (this.#answeredAhead > 0) this.#answeredAhead -= 1;
          else client.pong();
        });
      }),
    );
  }

  #shareOf(leg: Leg): Share {
    return new Share(this.parts.turns, this, {
      pause: () => {
        this.legs[leg].pause();
      },
      resume: () => {
        if (!this.#pausedLegs.has(leg)) this.legs[leg].resume();
      },
    });
  }

  /** Stops reading `source` while `full` has too much to send. */
  #relieve(full: Duplex, source: Leg): void {
    if (full.writableLength < this.parts.highWater || this.#pausedLegs.has(source)) return;
    // A leg that is leaving is read to its end: what was sent before has to pass, and no more is coming.
    if (source === 'client' && this.#state === 'leaving') return;
    this.#pausedLegs.add(source);
    this.parts.traffic.pauses += 1;
    this.legs[source].pause();
  }

  #drained(source: Leg): void {
    this.lastActive = this.parts.now();
    if (this.#pausedLegs.has(source)) this.#read(source);
  }

  #read(leg: Leg): void {
    this.#pausedLegs.delete(leg);
    if (!this.#shares[leg].isResting) this.legs[leg].resume();
  }

  /** The client has closed and waits for an answer, which is the upstream's to give. */
  #clientCloses(code: number, reason: string, answer: () => void): void {
    this.#end ??= 'client-closed';
    this.#answerClient = answer;
    // Whatever the upstream still says has nowhere to go, but its close has to be read, and a client that does not wait seen.
    this.#read('upstream');
    this.#read('client');
    this.#sayToUpstream(code, reason);
  }

  /** The upstream has closed and waits for an answer, which is the client's to give. */
  #upstreamCloses(code: number, reason: Buffer): void {
    this.#end ??= 'upstream-closed';
    this.#read('client');
    if (this.#state === 'leaving') this.legs.client.close(GOING_AWAY);
    else closeClient(this.legs.client, code, reason);
  }

  /** Whether it ends the connection too is nothing to the client. */
  #upstreamAnswered(): void {
    const answer = this.#answerClient;
    this.#answerClient = undefined;
    answer?.();
  }

  /** It has said what RFC 6455 forbids, or more than it may at once: nothing that it says counts from here on. */
  #upstreamFailed(): void {
    const { client, clientNetwork, upstream, upstreamNetwork } = this.legs;
    this.#end ??= 'upstream-failed';
    this.#read('client');
    if (this.#state === 'leaving') client.close(GOING_AWAY);
    // What is sealed in this turn goes first.
    else {
      queueMicrotask(() => {
        cut(clientNetwork, client);
      });
    }
    // It gets the reason, and is not waited for.
    cut(upstreamNetwork, upstream, SHORT_LINGER);
  }

  #clientClosed(code: number, reason: Uint8Array): void {
    const { client, upstream, upstreamNetwork } = this.legs;
    const { failure } = client.pq;
    if (failure === null) this.#end ??= 'client-closed';
    else this.#end ??= failure.origin === 'local' ? 'client-failed' : 'client-cut';
    this.#answerClient = undefined;
    this.#read('upstream');
    // Both have closed, or yellowpages has, which answers by itself: else the upstream hears of it as the client went.
    if (failure === null) this.#sayToUpstream(code, reason);
    else cut(upstreamNetwork, upstream);
    this.#legClosed();
  }

  #upstreamClosed(code: number): void {
    const { client, clientNetwork } = this.legs;
    this.#read('client');
    if (this.#state === 'leaving' && this.#answerClient === undefined) client.close(GOING_AWAY);
    else if (code === ABNORMAL) {
      this.#end ??= 'upstream-cut';
      // What is sealed in this turn goes first.
      queueMicrotask(() => {
        cut(clientNetwork, client);
      });
    }
    this.#legClosed();
  }

  #sayToUpstream(code: number, reason: Uint8Array | string): void {
    // Behind what was said before it.
    this.#toUpstream.flush();
    this.legs.upstream.sayClose(code, reason);
  }

  #legClosed(): void {
    this.#openLegs -= 1;
    if (this.#openLegs > 0) return;
    this.#state = 'over';
    this.parts.over(this.#end ?? 'client-cut');
  }
}

/**
 * Resolves when the client has proved itself live; rejects when it never does. yellowpages has no such proof but the
 * client's first message, and an upstream may be the one who speaks first.
 */
export function provedLive({ pq }: WsStyleWebSocket): Promise<void> {
  return pq.profile === 'yellowpages' ? Promise.resolve() : pq.finished;
}

function closeClient(client: WsStyleWebSocket, code: number, reason: Buffer): void {
  if (code === NO_STATUS) client.close();
  else client.close(code, reason);
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
