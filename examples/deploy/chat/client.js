/**
 * The other half: keeps what it said until it is acknowledged, reconnects when the connection or the gateway is gone, and
 * asks for what it missed. What was acknowledged is never lost and never there twice.
 *
 *     node client.js URL                 a line of standard input is a message
 */
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import { PQWebSocket } from 'pq-websocket';

export class Chat {
  /** Messages in the order that everybody sees: `{ number, id, text }`. */
  log = [];
  /** How often it has connected. */
  connections = 0;
  #unacknowledged = new Map();
  #socket;
  #retry;
  #delay = 50;

  /** @param onMessage called with each message, once */
  constructor(url, onMessage = () => {}, options = {}) {
    this.url = url;
    this.onMessage = onMessage;
    this.options = options;
    this.#connect();
  }

  /** Resolves when the servers have it. */
  say(text) {
    const id = randomUUID();
    return new Promise((resolve) => {
      this.#unacknowledged.set(id, { text, resolve });
      if (this.#socket.readyState === PQWebSocket.OPEN) this.#send(id, text);
    });
  }

  close() {
    clearTimeout(this.#retry);
    this.#socket.onclose = null;
    this.#socket.close();
  }

  #connect() {
    const socket = new PQWebSocket(this.url, [], this.options);
    this.#socket = socket;
    socket.onopen = () => {
      this.connections += 1;
      this.#delay = 50;
      socket.send(JSON.stringify({ from: this.log.length }));
      for (const [id, { text }] of this.#unacknowledged) this.#send(id, text);
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => {
      // Twice as long each time, and not all clients at once.
      this.#retry = setTimeout(() => this.#connect(), this.#delay * (0.5 + Math.random()));
      this.#delay = Math.min(this.#delay * 2, 5_000);
    };
  }

  #send(id, text) {
    this.#socket.send(JSON.stringify({ say: text, id }));
  }

  #receive({ ack, ...message }) {
    if (ack !== undefined) {
      this.#unacknowledged.get(ack)?.resolve();
      this.#unacknowledged.delete(ack);
    } else {
      this.log.push(message);
      this.onMessage(message);
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const chat = new Chat(process.argv[2] ?? 'ws://127.0.0.1:8443', ({ text }) => console.log(text));
  for await (const line of createInterface({ input: process.stdin })) await chat.say(line);
  chat.close();
}
