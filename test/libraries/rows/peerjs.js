import assert from 'node:assert/strict';
import { openPage, runClient, startBrowser } from '../../../examples/peerjs/client.js';
import { startServer } from '../../../examples/peerjs/server.js';
import { FLAGS } from '../shared/chromium.js';

export default {
  library: 'peer',
  with: ['peerjs'],
  page: 'peerjs',
  side: 'client and server',
  plug: [
    '<script src="pq-websocket.polyfill.min.js"></script> // before PeerJS',
    'ExpressPeerServer(http, { createWebSocketServer: (options) => new WebSocketServer(options) })',
  ],
  // Not what stands in PeerJS's own script, which the page loads through the tap.
  words: ['"type":"OFFER"', '"type":"ANSWER"', 'a=fingerprint:sha-256 ', '"type":"HEARTBEAT"'],
  start: () => startServer(0),
  cases: {
    async 'the example: two peers find each other, and talk'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text, FLAGS), [text]);
    },
    async 'bytes between peers, an ID that is taken, a cut, and a reconnection'({ url, tap, server }) {
      const browser = await startBrowser(FLAGS);
      const page = await openPage(browser, url);
      assert.equal(await page.evaluate('WebSocket[Symbol.for("pq-websocket")].isProtected()'), true);
      const bytes = await page.evaluate(`(async () => {
        window.peers = [await join('cleo'), await join('dora')];
        const [heard] = await echo(...peers, [new Uint8Array([1, 2, 3]).buffer]);
        return [...new Uint8Array(heard)];
      })()`);
      assert.deepEqual(bytes, [1, 2, 3]);
      assert.equal(await page.evaluate(`join('cleo').catch(({ type }) => type)`), 'unavailable-id');
      await page.evaluate(() => {
        window.lost = new Promise((resolve) => window.peers[0].once('disconnected', resolve));
      });
      const upgraded = tap.connections.filter((each) => each.upgraded && each.upgrade.request.includes('id=cleo'));
      upgraded.at(-2).cut();
      await page.evaluate('lost');
      const back = await page.evaluate(`(async () => {
        const open = new Promise((resolve) => peers[0].once('open', resolve));
        peers[0].reconnect();
        return open;
      })()`);
      assert.equal(back, 'cleo');
      const left = new Promise((resolve) => server.peers.once('disconnect', (client) => resolve(client.getId())));
      await page.evaluate(`peers[0].destroy()`);
      assert.equal(await left, 'cleo');
      await browser.close();
    },
  },
};
