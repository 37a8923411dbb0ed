/** A page that Chromium freezes (Page Lifecycle) with an open socket, which ends its connection, and lets go on: either class tells it so. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { WebSocketServer as PlainServer } from 'ws';
import { buildScriptTag, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { startBrowser } from './harness.ts';
import type { TestBrowser } from './harness.ts';

const APP = `
  var seen = [];
  for (const type of ['freeze', 'resume']) document.addEventListener(type, () => { seen.push(type); });
  function connect(url) {
    globalThis.socket = new WebSocket(url);
    socket.onmessage = ({ data }) => { seen.push(data); };
    socket.onclose = ({ code, reason, wasClean }) => { seen.push([code, reason, wasClean]); };
    return new Promise((resolve) => { socket.onopen = () => resolve(); });
  }
  async function until(count) { while (seen.length < count) await new Promise((resolve) => setTimeout(resolve)); return seen; }`;

/** What the test needs of a server's end of either kind. */
interface Peer {
  send(data: string, done: () => void): void;
}

let browser: TestBrowser;
let files: Readonly<Record<string, string>>;
beforeAll(async () => {
  [browser, { files }] = await Promise.all([startBrowser(), buildScriptTag()]);
});
afterAll(() => browser?.close());

/** @param accepted the server's end @returns what the page saw */
async function freezeAndResume(url: string, accepted: Promise<Peer>, tag: string): Promise<unknown> {
  const { page, close } = await browser.open({
    files: { ...files, 'app.js': APP },
    html: `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${tag}<script src="/app.js"></script>`,
  });
  onTestFinished(close);
  const steer = await page.createCDPSession();
  await page.evaluate(`connect(${JSON.stringify(url)})`);
  const peer = await accepted;
  await new Promise<void>((resolve) => {
    peer.send('before', resolve);
  });
  await page.evaluate('until(1)');
  await steer.send('Page.setWebLifecycleState', { state: 'frozen' });
  await steer.send('Page.setWebLifecycleState', { state: 'active' });
  return page.evaluate('until(4)');
}

test('the close event comes when the page goes on, as with the native class', async () => {
  const plain = new PlainServer({ port: 0, host: '127.0.0.1' });
  onTestFinished(() => {
    plain.close();
  });
  await once(plain, 'listening');
  const acceptedPlain = once(plain, 'connection').then(([socket]) => socket as Peer);
  const native = await freezeAndResume(`ws://127.0.0.1:${(plain.address() as AddressInfo).port}`, acceptedPlain, '');
  expect(native).toEqual(['before', 'freeze', 'resume', [1006, '', false]]);
  const { url, next, tap } = await startSecure();
  const ours = await freezeAndResume(
    url,
    next().then(({ socket }) => socket as unknown as Peer),
    `<script src="/${POLYFILL}"></script>`,
  );
  expect(ours).toEqual(native);
  assertSealed(tap, ['before']);
});
