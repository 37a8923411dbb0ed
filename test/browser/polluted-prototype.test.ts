/**
 * A page's polluted `Object.prototype` and the script tag: each name alone, with values of several types, before the script runs and after.
 * Each cell is a page whose tag pins a key that the server has not. It is refused with 3770, or no socket opens at all: never a native
 * socket, never one that has lost its pin.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag } from '../../scripts/lib/script-tag.ts';
import { soaks } from '../support/soak.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { cellFiles, CELLS_PAGE, runOf, WRONG_PIN } from './cells.ts';
import type { TestBrowser } from './harness.ts';
import { startBrowser } from './harness.ts';

const NAMES = `
  accepted attestation attributes authenticate backend batches closeCode config configurable content context
  createHTML document drop enumerable exclude exchange extensions failure fastOpen features get grease has heartbeat
  hello hkdf include init inspect installed isProtected kem keyLog keySeed length location maxPayload message native
  nativeStream next now offer options owned padded padding pins profile profiles protocols prove publicKey receipt
  refuseClone role serverKeys server set signal signature strict tagLength then uninstall value verifyAttestation
  watch WebSocket writable yellowpages 0 1
`
  .trim()
  .split(/\s+/);
/** As they stand in a page. */
const VALUES = ['true', '"yellowpages"', '7', '({ a: 1 })', 'function () { return undefined; }'];
/** By these engines make an accessor of what a page defines, or wait for what is no promise: a socket may then not open at all. */
const STOPPING = ['get', 'set', 'then'];

const TAG = `<script src="/polyfill.js" data-pq-server-keys="${WRONG_PIN}"></script>`;
const APP = (url: string): string => `
  // The test's own way home is not what is tried.
  const { Promise: P, setTimeout: later } = window, home = parent.postMessage.bind(parent), add = addEventListener.bind(window);
  add('load', () => {
    const end = (outcome) => home(outcome, '*');
    later(end, 8000, 'nothing came');
    try {
      const socket = new WebSocket('${url}');
      socket.onopen = () => { socket.send('said by a page'); end('opened'); };
      socket.onclose = ({ code }) => end(code);
    } catch (error) { end('threw'); }
  });`;

const cells = NAMES.flatMap((name, n) =>
  VALUES.flatMap((value, v) => {
    const pollution = `<script>Object.prototype[${JSON.stringify(name)}] = ${value};</script>`;
    return [`${pollution}${TAG}`, `${TAG}${pollution}`].map((scripts, t) => ({
      id: `cell-${n}-${v}-${t}`,
      /** Of a third of the cells that has every name, and both times of it. */
      isOfThird: (n + v + t) % 3 === 0,
      name,
      title: `${name} = ${value}, ${t === 0 ? 'before' : 'after'}`,
      html: `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>${scripts}<script src="/app.js"></script>`,
    }));
  }),
);

const tried = soaks ? cells : cells.filter(({ isOfThird }) => isOfThird);

let browser: TestBrowser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser?.close());

test('no name, with no value, at no time, opens a native socket or takes a pin away', async () => {
  const { files } = await buildScriptTag();
  const { url, tap } = await startSecure({ identity: randomBytes(32) });
  const { page, close } = await browser.open({
    files: cellFiles(files, APP(url), tried),
    html: CELLS_PAGE,
  });
  onTestFinished(close);
  const outcomes = (await page.evaluate(runOf(tried))) as Record<string, unknown>;
  const others = tried.flatMap(({ id, name, title }) =>
    outcomes[id] === 3770 || (STOPPING.includes(name) && outcomes[id] !== 'opened')
      ? []
      : [`${title}: ${String(outcomes[id])}`],
  );
  expect(others).toEqual([]);
  assertSealed(tap, ['said by a page']);
});
