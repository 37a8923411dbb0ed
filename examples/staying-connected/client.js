// A client that loses and repeats nothing: it connects again after each cut, proves on the new connection that the conversation is its
// own (pq-websocket/login, bound by exportKey), and goes on where the other end stopped hearing.
import { PQWebSocket } from 'pq-websocket';
import { confirmLogin, loginMessage } from 'pq-websocket/login';
import { Conversation } from './conversation.js';

const HEARTBEAT = { interval: 20_000, timeout: 10_000 };
/** The page is back: there is no reason to wait any longer. None of them says that the network works, and none is needed. */
const HURRY = ['online', 'pageshow', 'visibilitychange'];
/** The server has forgotten the conversation, or never knew it. */
const FORGOTTEN = 4401;

export class LosslessClient {
  #url;
  #options;
  #delays;
  #conversation;
  #identity;
  #socket;
  #isEnding = false;
  #wake;
  #finished;
  /** How often a connection was made. */
  connections = 0;

  /**
   * @param options `heartbeat`, and whatever else PQWebSocket takes: pin the server with `serverKeys`
   * @param delays milliseconds before the first and at most before any further attempt
   */
  constructor(url, deliver, { least = 250, most = 30_000, ...options } = {}) {
    this.#url = url;
    this.#options = { heartbeat: HEARTBEAT, ...options };
    this.#delays = { least, most };
    this.#conversation = new Conversation(deliver);
    for (const type of HURRY) globalThis.addEventListener?.(type, this.#hurry);
    this.#finished = this.#run().finally(() => {
      for (const type of HURRY) globalThis.removeEventListener?.(type, this.#hurry);
    });
    this.#finished.catch(() => undefined);
  }

  /** @returns a promise of the server's acknowledgement */
  send(data) {
    return this.#conversation.send(data);
  }

  /** Waits until everything is acknowledged, then closes for good. Rejects where the server has forgotten the conversation. */
  async end() {
    this.#isEnding = true;
    this.#closeIfSettled();
    this.#hurry();
    await this.#finished;
  }

  #hurry = () => this.#wake?.();

  #closeIfSettled() {
    if (this.#isEnding && this.#conversation.isSettled) this.#socket?.close(1000);
  }

  async #run() {
    let attempt = 0;
    for (;;) {
      const code = await this.#connection(() => {
        attempt = 0;
      });
      if (this.#isEnding && this.#conversation.isSettled) return;
      if (code === FORGOTTEN) {
        const error = new Error('the server has forgotten this conversation');
        this.#conversation.fail(error);
        throw error;
      }
      await this.#pause(attempt);
      attempt += 1;
    }
  }

  /** One connection, from its beginning to its end. @returns its close code */
  async #connection(established) {
    const socket = new PQWebSocket(this.#url, [], this.#options);
    const closed = new Promise((resolve) => {
      socket.addEventListener('close', ({ code }) => resolve(code));
    });
    this.connections += 1;
    try {
      await socket.opened;
      const messages = socket[Symbol.asyncIterator]();
      const next = async () => JSON.parse((await messages.next()).value);
      const said = this.#identity
        ? await loginMessage(socket, this.#identity.token, this.#identity.id)
        : JSON.stringify({ begin: true });
      socket.send(JSON.stringify({ first: said, received: this.#conversation.received }));
      const { first, received } = await next();
      if (this.#identity === undefined) this.#identity = first;
      else if (!(await confirmLogin(socket, this.#identity.token, first, this.#identity.id))) {
        throw new Error('whoever this is, it is not the server of this conversation');
      }
      this.#conversation.attach(socket, received);
      this.#socket = socket;
      established();
      this.#closeIfSettled();
      for await (const text of messages) {
        this.#conversation.take(text);
        this.#closeIfSettled();
      }
    } catch {
      // Whatever it was: the connection is of no more use, and the next one will tell.
      socket.close();
    } finally {
      this.#socket = undefined;
      this.#conversation.detach(socket);
    }
    return closed;
  }

  /** Twice as long each time, and not all clients at once. The timer of a machine that slept fires when it wakes. */
  async #pause(attempt) {
    const longest = Math.min(this.#delays.most, this.#delays.least * 2 ** attempt);
    const [random] = crypto.getRandomValues(new Uint32Array(1));
    let timer;
    await new Promise((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, longest / 2 + (longest / 2) * (random / 2 ** 32));
    });
    clearTimeout(timer);
    this.#wake = undefined;
  }
}
