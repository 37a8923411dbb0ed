import assert from 'node:assert/strict';
import { connect, runClient } from '../../../examples/stomp/client.js';
import { startServer } from '../../../examples/stomp/server.js';
import { deferred, nextEnd } from '../shared/ends.js';

const PASSCODE = 'the passcode of this broker';
const known = { connectHeaders: { login: 'ada', passcode: PASSCODE } };

export default {
  library: '@stomp/stompjs',
  page: 'stomp',
  side: 'client',
  plug: ["new Client({ webSocketFactory: () => new PQWebSocket(url, ['v12.stomp']) })"],
  words: ['CONNECTED\n', 'SUBSCRIBE\n', 'destination:', 'heart-beat:'],
  start({ hide }) {
    hide(PASSCODE);
    return startServer(0);
  },
  cases: {
    async 'the example: a topic'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'a passcode, taken and refused'({ openTap, secret }) {
      const other = await startServer(0, PASSCODE);
      const tap = await openTap(other.port);
      const client = await connect(tap.url, known);
      await client.deactivate();
      await assert.rejects(connect(tap.url, { connectHeaders: { passcode: secret('wrong') }, reconnectDelay: 0 }), {
        message: 'wrong passcode',
      });
      other.close();
    },
    async 'bytes, headers that need escapes, and receipts'({ url, secret }) {
      const client = await connect(url, known);
      const bytes = new TextEncoder().encode(`\0\n${secret('bytes')}`);
      const mark = `${secret('header')}:\n\\`;
      const [heard, receipt] = [deferred(), deferred()];
      client.subscribe('/topic/files', heard.resolve);
      client.watchForReceipt('r-1', receipt.resolve);
      client.publish({ destination: '/topic/files', binaryBody: bytes, headers: { mark, receipt: 'r-1' } });
      const message = await heard.promise;
      await receipt.promise;
      assert.deepEqual(message.binaryBody, bytes);
      assert.equal(message.headers.mark, mark);
      await client.deactivate();
    },
    async 'heart-beats, both ways'({ url }) {
      const beat = deferred();
      const client = await connect(url, {
        ...known,
        heartbeatIncoming: 1_000,
        heartbeatOutgoing: 1_000,
        onHeartbeatReceived: beat.resolve,
      });
      await beat.promise;
      await client.deactivate();
    },
    async 'a cut: it connects again'({ url, tap, secret }) {
      const client = await connect(url, { ...known, reconnectDelay: 10 });
      const again = deferred();
      client.onConnect = again.resolve;
      tap.connections.at(-1).cut();
      await again.promise;
      const heard = deferred();
      client.subscribe('/topic/after', ({ body }) => heard.resolve(body));
      const text = secret('after');
      client.publish({ destination: '/topic/after', body: text });
      assert.equal(await heard.promise, text);
      await client.deactivate();
    },
    async 'a deactivation closes cleanly'({ url, server }) {
      const end = nextEnd(server.server);
      const client = await connect(url);
      await client.deactivate();
      assert.notEqual(await end, 1006);
    },
  },
};
