import assert from 'node:assert/strict';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { build, runClient } from '../../../examples/signalr/client.js';
import { startServer } from '../../../examples/signalr/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

async function started(url, options) {
  const connection = build(`${url.replace('ws:', 'http:')}/chat`, options);
  await connection.start();
  return connection;
}

export default {
  library: '@microsoft/signalr',
  with: ['@microsoft/signalr-protocol-msgpack'],
  page: 'signalr',
  side: 'client',
  plug: ['.withUrl(url, { WebSocket: PQWebSocket, transport: HttpTransportType.WebSockets, skipNegotiation: true })'],
  words: ['"protocol":"json"', '"target"', 'messagepack'],
  start: () => startServer(0),
  cases: {
    async 'the example: a call, and a broadcast'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [`Ada: ${text}`, `${text.length} characters`]);
    },
    async 'a call that fails'({ url }) {
      const connection = await started(url);
      await assert.rejects(connection.invoke('Refuse'), /refused/);
      await connection.stop();
    },
    async 'bytes, by MessagePack'({ url, server, secret }) {
      const connection = await started(url, { protocol: new MessagePackHubProtocol() });
      const bytes = new TextEncoder().encode(secret('bytes'));
      assert.deepEqual(new Uint8Array(await connection.invoke('Echo', bytes)), bytes);
      const heard = deferred();
      connection.on('news', heard.resolve);
      server.broadcast('news', bytes);
      assert.deepEqual(new Uint8Array(await heard.promise), bytes);
      await connection.stop();
    },
    async 'a cut: it connects again'({ url, tap, secret }) {
      const connection = await started(url, { retries: [0, 10, 10] });
      const [lost, again] = [deferred(), deferred()];
      connection.onreconnecting(lost.resolve);
      connection.onreconnected(again.resolve);
      tap.connections.at(-1).cut();
      await lost.promise;
      await again.promise;
      const text = secret('after');
      assert.equal(await connection.invoke('Echo', text), text);
      await connection.stop();
    },
    async 'a stop closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const connection = await started(url);
      const closed = deferred();
      connection.onclose(closed.resolve);
      await connection.stop();
      assert.equal(await closed.promise, undefined);
      assert.notEqual(await end, 1006);
    },
  },
};
