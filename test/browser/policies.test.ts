/**
 * The policies that docs/script-tag.md names, each with the script tag in each browser: what a script can't cover (a frame's own class, a
 * library that kept the native one, a script that never came) is closed by them and by the server.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildScriptTag, integrityOf, POLYFILL } from '../../scripts/lib/script-tag.ts';
import { ENGINES } from '../support/engines/all.ts';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import { rawServer } from '../support/raw-peer.ts';
import { assertSealed } from '../support/tap.ts';
import { startSecure } from '../support/ws-endpoints.ts';
import { openBody } from './open-body.ts';

const NO_PIN = `data-pq-server-keys="sha256:${'0'.repeat(64)}"`;
/** What comes of a socket of any class: its messages, then its close code; or the name of what its constructor threw. */
const TALK = `
  function talk(url, Class = WebSocket) {
    return new Promise((resolve) => {
      const seen = [];
      let socket;
      try { socket = new Class(url); } catch (error) { resolve([error.name]); return; }
      let closed = false;
      socket.onopen = () => socket.send('from the page');
      socket.onmessage = ({ data }) => { seen.push(data); socket.close(4000, 'thank you'); };
      // Where a policy allows no connection some engines fire error alone.
      socket.onerror = () => setTimeout(() => { if (!closed) resolve(['error alone']); }, 300);
      socket.onclose = ({ code }) => { closed = true; resolve([...seen, code, socket.pq?.failure?.code ?? null]); };
    });
  }
  const isProtected = () => WebSocket[Symbol.for('pq-websocket')]?.isProtected() ?? null;`;
/** Ahead of the script: what a library does that names the class while it loads. */
const KEEP = 'const kept = WebSocket;';
/** A page that has taken the name first. */
const SQUAT = `
  try { trustedTypes.createPolicy('pq-websocket', {}); var squatted = true; } catch {}`;
/** A frame of this page, with the class of its own. */
const FRAME = `
  const frame = document.createElement('iframe');
  const loaded = new Promise((resolve) => { frame.onload = resolve; });
  frame.src = '/frame.html';
  document.body.append(frame);
  await loaded;`;
const SEALED = ['from the page', 4000, null];

let files: Readonly<Record<string, string>>;
/** What goes into a tag's `integrity`. */
let hash: string;
beforeAll(async () => {
  const { files: built, integrity } = await buildScriptTag();
  const script = built[POLYFILL] ?? '';
  hash = integrity[POLYFILL] ?? '';
  files = {
    ...built,
    'polyfill.js': script,
    'talk.js': TALK,
    'keep.js': KEEP,
    'squat.js': SQUAT,
    'frame.html': '<!doctype html>',
  };
});

describe.each(ENGINES)('$name', ({ name, start }) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });
  afterAll(() => engine?.close());

  async function open(body: string, headers: Readonly<Record<string, string>>): Promise<EnginePage> {
    return openBody(engine, body, files, headers);
  }
  const tag = (attributes = ''): string => `<script src="/polyfill.js" ${attributes}></script>`;
  const TALKS = '<script src="/talk.js"></script>';

  test('connect-src of the one endpoint: the page talks, and a native socket reaches nobody who listens', async () => {
    const { url, tap, server } = await startSecure();
    let accepted = 0;
    server.on('connection', (socket) => {
      accepted += 1;
      socket.on('message', (data) => {
        socket.send(data.toString());
      });
    });
    const elsewhere = await rawServer((peer) => {
      peer.send('welcome');
    });
    onTestFinished(() => elsewhere.close());
    const page = await open('<script src="/keep.js"></script>' + tag() + TALKS, {
      'Content-Security-Policy': `connect-src ${url}`,
    });
    expect(await page.run(`return talk('${url}')`)).toEqual(SEALED);
    expect(accepted).toBe(1);
    // What kept the native class, or has another one, may ask the endpoint, which tells it nothing and hears nothing of it.
    const native = (Class: string): Promise<unknown> => page.run(`${FRAME} return talk('${url}', ${Class})`);
    for (const Class of ['kept', 'frame.contentWindow.WebSocket']) {
      expect(await native(Class), Class).toEqual([expect.toBeOneOf([3768, 3769]), null]);
    }
    expect(accepted).toBe(1);
    // And nobody else: neither with the one nor with the other.
    let reached = false;
    void elsewhere.nextPeer().then(
      () => {
        reached = true;
      },
      () => undefined,
    );
    for (const Class of ['WebSocket', 'kept', 'frame.contentWindow.WebSocket']) {
      const seen = (await page.run(`${FRAME} return talk('${elsewhere.url}', ${Class})`)) as unknown[];
      expect(seen, Class).not.toContain('welcome');
    }
    expect(reached).toBe(false);
    assertSealed({ connections: tap.connections.slice(0, 1) }, ['from the page']);
  });

  test('Trusted Types without our policy: where the engine enforces them, a part does not load, and nothing opens without it', async () => {
    const { url } = await startSecure({ identity: randomBytes(32) });
    const page = await open(tag(NO_PIN) + TALKS, {
      'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types another",
    });
    const enforced = await page.run(
      "if (typeof trustedTypes === 'undefined') return false; try { document.createElement('script').src = '/x.js'; return false; } catch { return true; }",
    );
    expect(await page.run(`return talk('${url}')`)).toEqual(
      enforced === true ? [1006, 'PQ_ERR_LOAD'] : [3770, 'PQ_ERR_SIGNATURE_INVALID'],
    );
    if (name === 'Chromium') expect(enforced).toBe(true);
  });

  test('Trusted Types: another script that has taken the name of our policy stops the part, and opens nothing', async () => {
    const { url } = await startSecure({ identity: randomBytes(32) });
    const page = await open('<script src="/squat.js"></script>' + tag(NO_PIN) + TALKS, {
      'Content-Security-Policy': "require-trusted-types-for 'script'; trusted-types pq-websocket",
    });
    const taken = await page.run("return typeof trustedTypes !== 'undefined' && globalThis.squatted === true");
    expect(await page.run(`return talk('${url}')`)).toEqual(
      taken === true ? [1006, 'PQ_ERR_LOAD'] : [3770, 'PQ_ERR_SIGNATURE_INVALID'],
    );
    if (name === 'Chromium') expect(taken).toBe(true);
  });

  describe('Integrity-Policy', () => {
    const policy = { 'Integrity-Policy': 'blocked-destinations=(script)' };

    test('with hashes the script and its parts run', async () => {
      const { url } = await startSecure({ identity: randomBytes(32) });
      const page = await open(
        tag(`${NO_PIN} integrity="${hash}" crossorigin="anonymous"`) +
          `<script src="/talk.js" integrity="${integrityOf(TALK)}" crossorigin="anonymous"></script>`,
        policy,
      );
      expect(await page.run('return isProtected()')).toBe(true);
      // The part that judges signatures came, and judged.
      expect(await page.run(`return talk('${url}')`)).toEqual([3770, 'PQ_ERR_SIGNATURE_INVALID']);
    });

    test('without one the script does not run where the engine has the policy, and isProtected() says so', async () => {
      const page = await open(tag(), policy);
      const answer = await page.run("return WebSocket[Symbol.for('pq-websocket')]?.isProtected() ?? null");
      if (name === 'Chromium') expect(answer).toBe(null);
      else expect([null, true]).toContain(answer);
    });
  });

  test('a script with another hash than the tag says does not run, and isProtected() says so', async () => {
    const page = await open(tag(`integrity="${integrityOf('another script')}" crossorigin="anonymous"`) + TALKS, {});
    expect(await page.run('return isProtected()')).toBe(null);
  });

  test("default-src 'none' with what the script needs, and nothing unsafe", async () => {
    const { url, server } = await startSecure();
    server.on('connection', (socket) => {
      socket.on('message', (data) => {
        socket.send(data.toString());
      });
    });
    const page = await open(tag() + TALKS, {
      'Content-Security-Policy': `default-src 'none'; script-src 'self'; connect-src ${url}; img-src data:`,
    });
    expect(await page.run(`return talk('${url}')`)).toEqual(SEALED);
  });
});
