import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { launch } from 'puppeteer-core';
import type { Browser, Page } from 'puppeteer-core';
import { chromiumFlags } from '../../scripts/lib/chromium.ts';
import { chromiumBinary } from '../../scripts/lib/toolchain.ts';
import { bundle } from './bundle.ts';
import { serve } from './static-server.ts';
import type { Content, StaticServer } from './static-server.ts';

/** Loopback under another name is no secure context, as a page of plain http is none: no crypto.subtle there. */
const INSECURE_HOST = 'insecure.test';

export interface PageOptions {
  /** A TypeScript file, relative to the repository, that the page loads bundled, as a classic script. */
  readonly entry?: string;
  /** Served at `/name` beside the bundle. */
  readonly files?: Readonly<Record<string, Content>>;
  /** A folder, relative to the repository, to serve what `files` does not have. */
  readonly folder?: string;
  /** The page itself; the bundle is loaded after it. An empty page unless given. */
  readonly html?: string;
  /** Headers of every response, such as a Content-Security-Policy. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the page is a secure context, which it is unless this is false. */
  readonly secure?: boolean;
}

export interface TestPage {
  readonly page: Page;
  readonly origin: string;
  /** What the page wrote to its console, `type: text` each. */
  readonly console: readonly string[];
  /** Uncaught errors, unhandled rejections, console errors and failed requests: a good test ends with none. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

export interface TestBrowser {
  readonly browser: Browser;
  /** Such as `Chrome/156.0.8078.79`. */
  readonly version: string;
  open(options: PageOptions): Promise<TestPage>;
  /** Closes every page, its server and the browser, and deletes its profile. */
  close(): Promise<void>;
}

/**
 * Starts a headless Chromium with a profile of its own that reaches nothing but loopback.
 * @param extension an absolute path of an unpacked extension, where the test is about one: the developer tools are pages then
 */
export async function startBrowser(extension?: string): Promise<TestBrowser> {
  const profile = await mkdtemp(path.join(tmpdir(), 'pq-websocket-chromium-'));
  const removeProfile = (): Promise<void> =>
    rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  let browser: Browser;
  try {
    browser = await launch({
      executablePath: chromiumBinary(),
      userDataDir: profile,
      pipe: true,
      // One call may run all vectors, which takes longer than the three minutes that puppeteer allows.
      protocolTimeout: 600_000,
      args: chromiumFlags(INSECURE_HOST),
      ...(extension === undefined ? {} : { enableExtensions: [extension], handleDevToolsAsPage: true }),
    });
  } catch (error) {
    await removeProfile();
    throw error;
  }
  const open = new Set<TestPage>();
  return {
    browser,
    version: await browser.version(),
    async open(options) {
      const opened = await openPage(browser, options, () => open.delete(opened));
      open.add(opened);
      return opened;
    },
    async close() {
      await Promise.all([...open].map((page) => page.close()));
      await browser.close();
      await removeProfile();
    },
  };
}

async function servePage(options: PageOptions): Promise<StaticServer> {
  const scripts: Record<string, Content> = {};
  if (options.entry !== undefined) scripts['bundle.js'] = await bundle(options.entry);
  const loader = options.entry === undefined ? '' : '<script src="/bundle.js"></script>';
  const html =
    options.html ??
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">';
  return serve({ 'index.html': html + loader, ...scripts, ...options.files }, options.folder, options.headers);
}

async function openPage(browser: Browser, options: PageOptions, closed: () => void): Promise<TestPage> {
  const server = await servePage(options);
  const page = await browser.newPage();
  const said: string[] = [];
  const problems: string[] = [];
  page.on('console', (message) => {
    said.push(`${message.type()}: ${message.text()}`);
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error instanceof Error ? error.message : String(error)}`));
  page.on('requestfailed', (request) =>
    problems.push(`request failed: ${request.url()}: ${request.failure()?.errorText ?? ''}`),
  );
  const origin = `http://${options.secure === false ? INSECURE_HOST : '127.0.0.1'}:${server.port}`;
  const close = async (): Promise<void> => {
    await page.close();
    await server.close();
    closed();
  };
  try {
    await page.goto(`${origin}/`, { waitUntil: 'load' });
  } catch (error) {
    await close();
    throw error;
  }
  return { page, origin, console: said, problems, close };
}
