/**
 * `pq-websocket/msw`: in your own tests, handlers of `ws.link(...)` see and send plaintext, while the code under test speaks
 * the real protocol with them. For msw 3 (`pqExtension`) and msw 2.15 (`terminatePQ`), in Node and in the browser.
 * @module pq-websocket/msw
 */
import { mockConfig, terminate } from './msw/terminate.ts';
import type { MockConnection, MockOptions, PQExtension, Termination } from './msw/types.ts';

export type {
  MockClient,
  MockConnection,
  MockData,
  MockInfo,
  MockOptions,
  MockServer,
  OriginOptions,
  PQExtension,
  Termination,
} from './msw/types.ts';
export type { PQChannel } from './api/types.ts';

/**
 * msw 2.15 and 3: ends the secure layer inside a listener of 'connection', and gives the connection in plaintext. To be called
 * in the listener's first turn, before anything is sent; msw's own `client` and `server` seal what they are given from then on.
 *
 *     chat.addEventListener('connection', (connection) => {
 *       const { client } = terminatePQ(connection);
 *       client.addEventListener('message', ({ data }) => client.send(`echo: ${data}`));
 *     });
 *
 * @param connection what the listener was called with. A second call for one connection gives what the first gave.
 * @throws {TypeError | RangeError} for an option that is unknown or wrong, and for what is no connection
 */
export function terminatePQ(connection: MockConnection, options: MockOptions = {}): Termination {
  const where = 'terminatePQ';
  return terminate(where, connection, mockConfig(where, options));
}

/**
 * msw 3: an extension for `ws.link`. Handlers stay as they are; the event has `pq`, the facts of the channel, too.
 *
 *     const chat = ws.link('wss://chat.example/room', { extensions: [pqExtension()] });
 *
 * @throws {TypeError | RangeError} for an option that is unknown or wrong
 */
export function pqExtension(options: MockOptions = {}): PQExtension {
  const where = 'pqExtension';
  const config = mockConfig(where, options);
  return {
    // msw's own connections go on carrying frames, and frames stay as they are. What is inside belongs to the plaintext
    // connections, which take the place of msw's on the event: only they know of closes and of a second key for the origin.
    encode: (message) => message as string | ArrayBuffer,
    decode: (data) => data,
    apply(connection) {
      connection.client.extension = this;
      connection.server.extension = this;
    },
    extend: (connection) => terminate(where, connection, config),
  };
}
