/** A page in Chromium as a client: the TypeScript client's cases over the browser build. It cannot be a server. */
import { startBrowser } from '../browser/harness.ts';
import type { TestBrowser } from '../browser/harness.ts';
import type { InteropPage } from './peer/page.ts';
import type { Features, Peer, Recipe, Verdict } from './peers.ts';

declare const interop: InteropPage;

const PAGE_LIMIT_MS = 30_000;
const SAID = 'hello, Welt ✓';

const NAMES_WITH_LISTS = new Set(['pin', 'kem']);

/** `--pin A --pin B --fast-open` as the page takes it. */
function asArguments(options: readonly string[]): Record<string, string | string[] | boolean> {
  const given: Record<string, string | string[] | boolean> = {};
  for (const [i, option] of options.entries()) {
    if (!option.startsWith('--')) continue;
    const name = option.slice(2);
    const value = options[i + 1];
    if (value === undefined || value.startsWith('--')) given[name] = true;
    else if (NAMES_WITH_LISTS.has(name)) given[name] = [...((given[name] as string[] | undefined) ?? []), value];
    else given[name] = value;
  }
  return given;
}

/** As a person would: waits until the page is connected, says something, and sees it come back. */
async function tryPage({ browser }: TestBrowser, url: string): Promise<string | undefined> {
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error instanceof Error ? error.message : String(error)));
  try {
    await page.goto(url, { waitUntil: 'load' });
    await page.waitForSelector('button:not([disabled])', { timeout: PAGE_LIMIT_MS });
    await page.$eval(
      '#text',
      (input, said) => {
        (input as unknown as { value: string }).value = said;
      },
      SAID,
    );
    await page.click('button');
    await page.waitForFunction(
      (said) => document.querySelector('li')?.textContent === said,
      { timeout: PAGE_LIMIT_MS },
      SAID,
    );
    const state = await page.$eval('#state', (element) => element.textContent);
    if (!state.startsWith('open: ml-kem-768')) problems.push(`it says '${state}'`);
  } catch (error) {
    problems.push((error as Error).message);
  } finally {
    await page.close();
  }
  return problems[0];
}

/** Chromium with the peer's page open; `close` ends it. */
export async function startChromium(): Promise<{ peer: Peer; close(): Promise<void> }> {
  const browser = await startBrowser();
  const { page } = await browser.open({ entry: 'test/interop/peer/page.ts' });
  const { client } = await page.evaluate(() => interop.features);
  const features: Features = { client, server: [] };
  const peer: Peer = {
    name: 'Chromium',
    family: 'Chromium',
    features,
    serve: () => Promise.reject(new Error('a page cannot listen')),
    connect: (url, options, only = []): Promise<Verdict[]> =>
      page.evaluate((to, given, names) => interop.run(to, given, names), url, asArguments(options), only),
    tryPage: (url) => tryPage(browser, url),
  };
  return { peer, close: () => browser.close() };
}

/** @param closing gets what ends the browser */
export function chromium(closing: (close: () => Promise<void>) => void): Recipe {
  return {
    name: 'Chromium',
    tool: undefined,
    make: async () => {
      const { peer, close } = await startChromium();
      closing(close);
      return [peer];
    },
  };
}
