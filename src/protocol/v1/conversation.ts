/** Records once the peer is accepted: messages and closes (PROTOCOL.md 7 to 9). */
import { ON_NODE } from '#on-node';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import { Refusal } from '../errors.ts';
import type { Link } from './link.ts';
import { chain, isPromise } from '../../base/maybe-promise.ts';
import type { OpenedRecord } from './open.ts';
import type { CloseContent, MessageKind } from './record.ts';
import * as Kind from './kinds.ts';
import { composeFrame, encodeClose, parseBatch, parseClose, sameClose } from './record.ts';
import type { Message } from '../session-types.ts';

export class Conversation<Text> {
  #ownClose: CloseContent;
  #peerClose: { readonly content: CloseContent; readonly answered: boolean } | undefined;

  readonly #link: Link<Text>;

  constructor(link: Link<Text>) {
    this.#link = link;
  }

  /** What the peer's close, or its answer to ours, said; undefined too when it said nothing. */
  get peerClose(): CloseContent {
    return this.#peerClose?.content;
  }

  /** Whether one side answered the other's close; undefined until the peer has closed. */
  get closeAnswered(): boolean | undefined {
    return this.#peerClose?.answered;
  }

  /** @throws {Refusal} or rejects with one */
  accept(frame: string | Uint8Array, owned: boolean): MaybePromise<void> {
    if (typeof frame === 'string') throw new Refusal('PQ_ERR_TEXT_FRAME');
    const opened = this.#link.keyed.receiver.open(frame, owned);
    if (!isPromise(opened)) return this.#dispatch(opened);
    // The session may have failed while the backend was at work.
    return opened.then((record) => (this.#link.state.is('open', 'close sent') ? this.#dispatch(record) : undefined));
  }

  /** Seals a close behind what was sent before it. */
  close(content: CloseContent): void {
    const { state, host, keyed } = this.#link;
    this.#ownClose = content;
    state.move('close');
    this.#link.extensions?.closing();
    this.#sealClose(Kind.CLOSE, content);
    keyed.sender.after(() => {
      host.closeTransmitted();
    });
  }

  #dispatch(record: OpenedRecord): MaybePromise<void> {
    const { kind, content } = record;
    const { extensions } = this.#link;
    if (extensions !== undefined) {
      extensions.opened();
      if (extensions.awaitsFinished && kind !== Kind.FINISHED) throw new Refusal('PQ_ERR_EXCHANGE');
    }
    switch (kind) {
      case Kind.TEXT:
      case Kind.BINARY:
        this.#deliver([this.#read(kind, content)]);
        return undefined;
      case Kind.BATCH:
        this.#deliver(this.#parse(content));
        return undefined;
      case Kind.KEY_UPDATE:
        return undefined;
      case Kind.CLOSE:
        this.#peerClosed(parseClose(content));
        return undefined;
      case Kind.CLOSE_ANSWER:
        this.#peerAnswered(parseClose(content));
        return undefined;
      case Kind.FINISHED:
      case Kind.EXCHANGE_WANTED:
      case Kind.EXCHANGE_OFFER:
      case Kind.EXCHANGE_ANSWER:
      case Kind.EXCHANGE_END:
      case Kind.PING:
      case Kind.PONG:
        return chain(this.#link.loadExtensions(), (live) =>
          this.#link.state.is('open', 'close sent') ? live.accept(record) : undefined,
        );
      default:
        throw new Refusal('PQ_ERR_KIND');
    }
  }

  /** All of a record is checked before any of it is delivered. After this end's close it is checked and discarded. */
  #deliver(messages: Iterable<Message<Text>>): void {
    if (this.#link.state.is('open')) this.#link.host.messages(messages);
  }

  #parse(content: Uint8Array): Iterable<Message<Text>> {
    const { config } = this.#link;
    const batch = (ON_NODE && config.toBuffer?.(content)) || content;
    return (
      (ON_NODE ? config.batches?.readBatch(batch, config.limits.maxPayload) : undefined) ??
      parseBatch(batch, (kind, payload) => this.#read(kind, payload))
    );
  }

  #read(kind: MessageKind, payload: Uint8Array): Message<Text> {
    const { limits, readText } = this.#link.config;
    if (payload.length > limits.maxPayload) throw new Refusal('PQ_ERR_MESSAGE_SIZE');
    if (kind === Kind.BINARY) return { binary: payload };
    const text = readText(payload);
    if (text === undefined) throw new Refusal('PQ_ERR_UTF8');
    return { text };
  }

  #peerClosed(content: CloseContent): void {
    const { state, host } = this.#link;
    // Giving messages to the transport may make the application close, or fail the session.
    if (state.is('open')) this.#link.flush();
    if (!state.is('open', 'close sent')) return;
    const owesAnswer = state.is('open');
    this.#finish(content, owesAnswer);
    host.peerClosing();
    const answer = (): void => {
      // The transport may have gone, or the session have failed, while the answer waited.
      if (!state.is('finishing')) return;
      if (owesAnswer) this.#sealClose(Kind.CLOSE_ANSWER, content);
      this.#endWhenOut();
    };
    if (!owesAnswer || host.answersLater?.(content, answer) !== true) answer();
  }

  #peerAnswered(content: CloseContent): void {
    if (!this.#link.state.is('close sent') || !sameClose(content, this.#ownClose)) throw new Refusal('PQ_ERR_CLOSE');
    this.#finish(content, true);
    this.#endWhenOut();
  }

  #finish(content: CloseContent, answered: boolean): void {
    this.#peerClose = { content, answered };
    this.#link.state.move('peer closed');
    this.#link.extensions?.closing();
  }

  /** This end's last record. */
  #sealClose(kind: typeof Kind.CLOSE | typeof Kind.CLOSE_ANSWER, content: CloseContent): void {
    this.#link.keyed.sender.push(kind, composeFrame(kind, encodeClose(content), this.#link.config));
  }

  /** Both closes are exchanged: it ends when this end's is with the transport. */
  #endWhenOut(): void {
    const { state, host, session, keyed } = this.#link;
    keyed.sender.after(() => {
      if (!state.is('finishing')) return;
      state.move('handed over');
      session.ended(() => {
        host.ended();
      });
    });
  }
}
