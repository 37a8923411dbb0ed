/** What has been seen: connections, and events in order. */
/** @typedef {import('./events.js').PageEvent} PageEvent */

/** Events that are kept, the latest. The page keeps 5,000 itself. */
const MAX_EVENTS = 20_000;
/** Bytes of what they hold. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Connections that are kept, the latest. */
const MAX_CONNECTIONS = 1_000;

/**
 * @typedef {object} Connection
 * @property {string} key
 * @property {string} name such as `#1`
 * @property {string} url
 * @property {string} role
 * @property {'connecting' | 'open' | 'closed' | 'failed' | 'left'} state `left` is what was not at its end when its page was
 * @property {import('./events.js').Facts | undefined} facts
 * @property {number} sent messages
 * @property {number} received
 * @property {number} entries that are kept of it
 */

/** @typedef {{ key: string, connection: Connection, event: PageEvent }} Entry */

export class History {
  /** @type {Map<string, Connection>} */
  connections = new Map();
  /** @type {Entry[]} */
  entries = [];
  /** Events that the page kept no longer when it was asked, and such as this panel does not know. */
  lost = 0;
  unknown = 0;
  #bytes = 0;
  #count = 0;

  /**
   * @param {import('./page.js').Look} look
   * @returns {Entry[]} what is new, and kept
   */
  add({ page, answers }) {
    /** @type {Entry[]} */
    const added = [];
    for (const { source, lost, unknown, events } of answers) {
      this.lost += lost;
      this.unknown += unknown;
      for (const event of events) {
        const connection = this.#connectionOf(page, source, event.socket);
        follow(connection, event);
        connection.entries += 1;
        this.#count += 1;
        added.push({ key: String(this.#count), connection, event });
        this.#bytes += sizeOf(event);
      }
    }
    for (const entry of added) this.entries.push(entry);
    let dropped = 0;
    while (
      this.entries.length - dropped > MAX_EVENTS ||
      (this.#bytes > MAX_BYTES && this.entries.length - dropped > 1)
    ) {
      const { connection, event } = /** @type {Entry} */ (this.entries[dropped]);
      this.#bytes -= sizeOf(event);
      connection.entries -= 1;
      dropped += 1;
    }
    this.entries.splice(0, dropped);
    this.#dropConnections();
    return added.slice(-this.entries.length);
  }

  /** Those of which nothing is left; and where there are too many, the first. */
  #dropConnections() {
    for (const [key, connection] of this.connections) {
      if (connection.entries === 0 && !isAlive(connection)) this.connections.delete(key);
    }
    // Those that are over go before those that live.
    for (const mayGo of [(/** @type {Connection} */ each) => !isAlive(each), () => true]) {
      for (const [key, connection] of this.connections) {
        if (this.connections.size <= MAX_CONNECTIONS) return;
        if (mayGo(connection)) this.connections.delete(key);
      }
    }
  }

  /** The page is another one. */
  leave() {
    for (const connection of this.connections.values()) if (isAlive(connection)) connection.state = 'left';
    this.#dropConnections();
  }

  /** Forgets what was said, and the connections that are over. */
  clear() {
    for (const [key, connection] of this.connections) if (!isAlive(connection)) this.connections.delete(key);
    for (const connection of this.connections.values()) connection.entries = 0;
    this.entries = [];
    this.lost = 0;
    this.unknown = 0;
    this.#bytes = 0;
  }

  /**
   * @param {number} page
   * @param {number} source
   * @param {number} socket
   */
  #connectionOf(page, source, socket) {
    const key = `${page}-${source}-${socket}`;
    const known = this.connections.get(key);
    if (known !== undefined) return known;
    /** @type {Connection} */
    const connection = {
      key,
      // A page with two copies of the package has two inspectors, and each counts from one.
      name: source === 0 ? `#${socket}` : `#${socket} of copy ${source + 1}`,
      url: '',
      role: '',
      state: 'connecting',
      facts: undefined,
      sent: 0,
      received: 0,
      entries: 0,
    };
    this.connections.set(key, connection);
    return connection;
  }
}

/** @param {Connection} connection */
const isAlive = ({ state }) => state === 'connecting' || state === 'open';

/**
 * @param {Connection} connection
 * @param {PageEvent} event
 */
function follow(connection, event) {
  if (event.type === 'start') {
    connection.url = event.url ?? '';
    connection.role = event.role ?? '';
  }
  if (event.channel !== undefined) connection.facts = event.channel;
  if (event.type === 'open') connection.state = 'open';
  if (event.type === 'failure') connection.state = 'failed';
  if (event.type === 'end' && connection.state !== 'failed') connection.state = event.wasClean ? 'closed' : 'failed';
  if (event.type === 'message') connection[event.direction === 'sent' ? 'sent' : 'received'] += 1;
}

/**
 * Bytes of all texts and contents in it.
 * @param {unknown} value
 * @returns {number}
 */
function sizeOf(value) {
  if (typeof value === 'string') return 2 * value.length;
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce((/** @type {number} */ sum, field) => sum + sizeOf(field), 0);
}
