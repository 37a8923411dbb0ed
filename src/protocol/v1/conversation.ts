/** Records once the peer is accepted: messages and closes (PROTOCOL.md 7 to 9). */
import type { MaybePromise } from '../../crypto/backend.ts';
import { Refusal } from '../errors.ts';
import type { Link } from './link.ts';
import { chain } from '../../base/maybe-promise.ts';
import type { OpenedRecord } from './open.ts';
import type { CloseContent, MessageKind } from './record.ts';
import { Kind, parseBatch, parseClose, sameClose } from './record.ts';
import type { Message } from '../session-types.ts';

export class Conversation<Text> {
  #ownClose: CloseContent;
  #peerClose: { readonly content: CloseContent; readonly answered: boolean } | undefined;

  constructor(
    private readonly link: Link<Text>,
    /** Both closes are exchanged and this end's is with the transport. */
    private readonly ended: () => void,
  ) {}

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
    return chain(this.link.open(frame, owned), (record) => {
      // The session may have failed while the backend was at work.
      if (this.link.state.is('open', 'close sent')) this.#dispatch(record);
    });
  }

  /** Seals a close behind what was sent before it. */
  close(content: CloseContent): void {
    const { state, outbound, host } = this.link;
    outbound.flush();
    if (!state.may('sends')) return;
    this.#ownClose = content;
    state.move('close');
    outbound.close(Kind.CLOSE, content);
    outbound.after(() => {
      host.closeTransmitted();
    });
  }

  #dispatch({ kind, content }: OpenedRecord): void {
    switch (kind) {
      case Kind.TEXT:
      case Kind.BINARY:
        this.#deliver([this.#read(kind, content)]);
        return;
      case Kind.BATCH:
        this.#deliver(
          parseBatch(this.link.config.toBuffer?.(content) ?? content, (entry, payload) => this.#read(entry, payload)),
        );
        return;
      case Kind.KEY_UPDATE:
        return;
      case Kind.CLOSE:
        this.#peerClosed(parseClose(content));
        return;
      case Kind.CLOSE_ANSWER:
        this.#peerAnswered(parseClose(content));
        return;
      default:
        throw new Refusal('PQ_ERR_KIND');
    }
  }

  /** All of a record is checked before any of it is delivered. After this end's close it is checked and discarded. */
  #deliver(messages: readonly Message<Text>[]): void {
    if (this.link.state.is('open')) this.link.host.messages(messages);
  }

  #read(kind: MessageKind, payload: Uint8Array): Message<Text> {
    const { limits, readText } = this.link.config;
    if (payload.length > limits.maxPayload) throw new Refusal('PQ_ERR_MESSAGE_SIZE');
    if (kind === Kind.BINARY) return { binary: payload };
    const text = readText(payload);
    if (text === undefined) throw new Refusal('PQ_ERR_UTF8');
    return { text };
  }

  #peerClosed(content: CloseContent): void {
    const { state, host, outbound } = this.link;
    // Giving messages to the transport may make the application close, or fail the session.
    outbound.flush();
    if (!state.is('open', 'close sent')) return;
    const owesAnswer = state.is('open');
    this.#finish(content, owesAnswer);
    host.peerClosing();
    if (owesAnswer) outbound.close(Kind.CLOSE_ANSWER, content);
    outbound.after(this.ended);
  }

  #peerAnswered(content: CloseContent): void {
    if (!this.link.state.is('close sent') || !sameClose(content, this.#ownClose)) throw new Refusal('PQ_ERR_CLOSE');
    this.#finish(content, true);
    this.link.outbound.after(this.ended);
  }

  #finish(content: CloseContent, answered: boolean): void {
    this.#peerClose = { content, answered };
    this.link.state.move('peer closed');
  }
}
