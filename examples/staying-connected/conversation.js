// One end of a conversation that outlives its connections: every message is heard once, in order, whatever is cut in between.
// Messages are numbered; what the peer has not acknowledged is kept, and said again on the next connection.

export class Conversation {
  #deliver;
  #limit;
  #socket;
  /** Said and not acknowledged, the oldest first: { n, data, done }. */
  #kept = [];
  #last = 0;
  #received = 0;
  #isAckDue = false;

  /**
   * @param deliver gets each message's data, once
   * @param limit how many messages may wait to be acknowledged
   */
  constructor(deliver, limit = 20_000) {
    this.#deliver = deliver;
    this.#limit = limit;
  }

  /** The number of the last message that was delivered here: what a new connection begins with. */
  get received() {
    return this.#received;
  }

  get isSettled() {
    return this.#kept.length === 0;
  }

  /** @returns a promise of the peer's acknowledgement */
  send(data) {
    if (this.#kept.length >= this.#limit) throw new RangeError('too many messages wait to be acknowledged');
    const n = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#kept.push({ n, data, resolve, reject });
      this.#say({ n, data });
    });
  }

  /**
   * Goes on over this socket, and no other.
   * @param peerReceived the peer's `received`
   */
  attach(socket, peerReceived) {
    this.#acknowledged(peerReceived);
    this.#socket = socket;
    for (const { n, data } of this.#kept) this.#say({ n, data });
  }

  /** What is said from now on waits for the next connection. @param socket where it is the one in use */
  detach(socket) {
    if (this.#socket === socket) this.#socket = undefined;
  }

  /** A message of the peer's. @throws {Error} for one that cannot follow on those before it */
  take(text) {
    const { n, data, ack } = JSON.parse(text);
    if (ack !== undefined) this.#acknowledged(ack);
    if (n === undefined) return;
    if (n !== this.#received + 1) throw new Error('a message is missing, or comes again');
    this.#received = n;
    this.#deliver(data);
    this.#acknowledge();
  }

  /** Nothing will be acknowledged any more. */
  fail(error) {
    this.#socket = undefined;
    for (const { reject } of this.#kept.splice(0)) reject(error);
  }

  /** Once for all that comes in one turn. */
  #acknowledge() {
    if (this.#isAckDue) return;
    this.#isAckDue = true;
    queueMicrotask(() => {
      this.#isAckDue = false;
      this.#say({ ack: this.#received });
    });
  }

  #acknowledged(n) {
    if (!Number.isInteger(n) || n < this.#last - this.#kept.length || n > this.#last) {
      throw new Error('more is acknowledged than was said, or less than before');
    }
    const count = n - (this.#last - this.#kept.length);
    for (const { resolve } of this.#kept.splice(0, count)) resolve();
  }

  #say(message) {
    this.#socket?.send(JSON.stringify(message));
  }
}
