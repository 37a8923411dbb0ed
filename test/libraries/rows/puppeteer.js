import assert from 'node:assert/strict';
import { connect, runClient, sealedTransport } from '../../../examples/puppeteer/client.js';
import { startServer } from '../../../examples/puppeteer/server.js';
import { FLAGS } from '../shared/chromium.js';
import { nextEnd } from '../shared/ends.js';

export default {
  library: 'puppeteer-core',
  page: 'puppeteer',
  side: 'client',
  plug: ['puppeteer.connect({ transport }) // whose messages go over a PQWebSocket'],
  words: ['Target.setAutoAttach', 'Runtime.', 'sessionId'],
  start: () => startServer(0, { flags: FLAGS }),
  cases: {
    async 'the example: a page’s title'({ url, secret }) {
      const text = secret('title');
      assert.deepEqual(await runClient(url, text), [text]);
    },
    async 'a picture, which is long'({ url, secret }) {
      const browser = await connect(url);
      const page = await browser.newPage();
      await page.setContent(`<h1>${secret('heading')}</h1>`);
      const picture = Buffer.from(await page.screenshot());
      assert.equal(picture.toString('latin1', 1, 4), 'PNG');
      await page.close();
      await browser.disconnect();
    },
    async 'a cut: the browser is there for the next connection, with its pages'({ url, tap, secret }) {
      const text = secret('kept');
      const browser = await connect(url);
      const page = await browser.newPage();
      await page.setContent(`<title>${text}</title>`);
      const gone = new Promise((resolve) => browser.once('disconnected', resolve));
      tap.connections.at(-1).cut();
      await gone;
      const again = await connect(url);
      const titles = await Promise.all((await again.pages()).map((each) => each.title()));
      assert(titles.includes(text));
      await again.disconnect();
    },
    async 'a disconnect closes cleanly, and a server that is not there is an error'({ url, server }) {
      const end = nextEnd(server.server);
      const browser = await connect(url);
      await browser.disconnect();
      assert.notEqual(await end, 1006);
      await assert.rejects(sealedTransport('ws://127.0.0.1:1'), /no browser: 1006/);
    },
  },
};
