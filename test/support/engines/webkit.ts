/** WebKitGTK: its small browser, steered through its WebDriver, on an X server that has no screen. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { webkitBinaries } from '../../../scripts/lib/webkit.ts';
import { freePort } from '../free-port.ts';
import type { Engine, EnginePage } from './engine.ts';

const START_MS = 30_000;
/** For one command; a script in a page may run all cases. */
const COMMAND_MS = 600_000;

export async function startWebKit(): Promise<Engine> {
  const binaries = webkitBinaries();
  const home = await mkdtemp(path.join(tmpdir(), 'pq-websocket-webkit-'));
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children.reverse()) await ended(child);
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  };
  try {
    const display = spawn(binaries.display, ['-displayfd', '3', '-screen', '0', '1400x1000x24', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    children.push(display);
    const screen = await firstLine(display);
    const port = await freePort();
    // A home and a session of its own: MiniBrowser keeps what it learns there.
    const env = {
      ...process.env,
      DISPLAY: `:${screen}`,
      HOME: home,
      XDG_RUNTIME_DIR: home,
      XDG_DATA_HOME: home,
      XDG_CACHE_HOME: home,
      XDG_CONFIG_HOME: home,
      GDK_BACKEND: 'x11',
      NO_AT_BRIDGE: '1',
      GSETTINGS_BACKEND: 'memory',
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    };
    // Its own group: it starts the browser, which starts others.
    const driver = spawn(binaries.driver, [`--port=${port}`], { stdio: 'ignore', env, detached: true });
    children.push(driver);
    const base = `http://127.0.0.1:${port}`;
    await ready(base, driver);
    const capabilities = {
      alwaysMatch: {
        acceptInsecureCerts: true,
        'webkitgtk:browserOptions': { binary: binaries.browser, args: ['--automation'] },
      },
    };
    const { sessionId, capabilities: given } = (await command(base, 'POST', '/session', { capabilities })) as {
      sessionId: string;
      capabilities: { browserVersion: string };
    };
    const session = `/session/${sessionId}`;
    const first = (await command(base, 'GET', `${session}/window`)) as string;
    await command(base, 'POST', `${session}/timeouts`, { script: COMMAND_MS, pageLoad: 60_000 });
    return {
      name: 'WebKitGTK',
      version: given.browserVersion,
      open: (url) => openWindow(base, session, first, url),
      async close() {
        await command(base, 'DELETE', session).catch(() => undefined);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param first the session's own window, which stays: a session without one ends */
async function openWindow(base: string, session: string, first: string, url: string): Promise<EnginePage> {
  await command(base, 'POST', `${session}/window`, { handle: first });
  const { handle } = (await command(base, 'POST', `${session}/window/new`, { type: 'window' })) as { handle: string };
  const here = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> => {
    await command(base, 'POST', `${session}/window`, { handle });
    return command(base, method, session + path, body);
  };
  await here('POST', '/window/rect', { width: 1280, height: 960 }).catch(() => undefined);
  await here('POST', '/url', { url });
  return {
    async run(body) {
      const script = `const done = arguments[arguments.length - 1];
        (async () => { ${body} })().then((value) => done(JSON.stringify({ value: value ?? null })), (error) => done(JSON.stringify({ error: String(error) })));`;
      const answer = JSON.parse((await here('POST', '/execute/async', { script, args: [] })) as string) as {
        value?: unknown;
        error?: string;
      };
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer.value;
    },
    async screenshot(file) {
      await writeFile(file, Buffer.from((await here('GET', '/screenshot')) as string, 'base64'));
    },
    async close() {
      await here('DELETE', '/window');
    },
  };
}

/** One command of W3C WebDriver. */
async function command(base: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
  const init = method === 'POST' ? { method, body: JSON.stringify(body ?? {}) } : { method };
  const response = await fetch(base + path, { ...init, signal: AbortSignal.timeout(COMMAND_MS) });
  const { value } = (await response.json()) as { value: unknown };
  if (response.ok) return value;
  const { error, message } = value as { error: string; message: string };
  throw new Error(`WebKitWebDriver, ${method} ${path}: ${error}: ${message}`);
}

async function ready(base: string, driver: ChildProcess): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && driver.exitCode === null) {
    try {
      await command(base, 'GET', '/status');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('WebKitWebDriver did not start');
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error('Xvfb did not start'));
    }, START_MS);
    let said = '';
    child.once('error', reject);
    child.once('exit', () => {
      reject(new Error('Xvfb ended'));
    });
    child.stdio[3]?.on('data', (data: Buffer) => {
      said += data.toString();
      if (!said.includes('\n')) return;
      clearTimeout(timer);
      resolve(said.trim());
    });
  });
}

/** Ends a child, with its group where it leads one. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
  await gone;
}
