/** What `npm run site -- --check` looks at: that every link of the site leads somewhere, and that its pages are in order for axe. */
import { existsSync, statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'puppeteer-core';
import { axeViolations } from '../browser/axe.ts';
import { startBrowser } from '../browser/harness.ts';
import { serve } from '../browser/static-server.ts';

/** One of each kind: home, long tables, code, pictures, the other page; and of the reference, which is TypeDoc's. */
const LOOKED_AT = [
  'index.html',
  'docs/tutorial.html',
  'docs/errors.html',
  'docs/how-it-works.html',
  'playground/index.html',
  'api/index.html',
  'api/hierarchy.html',
  'api/modules/pq-websocket.html',
  'api/classes/pq-websocket_ws.WebSocketServer.html',
  'api/interfaces/pq-websocket.PQChannel.html',
  'api/interfaces/pq-websocket.PQWebSocketOptions.html',
  'api/functions/pq-websocket-nitro.verifyNitroDocument.html',
  'api/types/pq-websocket.PQErrorCode.html',
  'api/variables/pq-websocket.PQWebSocket.html',
];
const VIEWS = [
  { width: 1280, scheme: 'light' },
  { width: 390, scheme: 'dark' },
] as const;

async function pagesOf(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.html')).sort();
}

const decoded = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"');

/** @returns a line for each link that leads nowhere */
async function brokenLinks(folder: string): Promise<string[]> {
  const pages = await pagesOf(folder);
  const texts = new Map(
    await Promise.all(pages.map(async (page) => [page, await readFile(path.join(folder, page), 'utf8')] as const)),
  );
  const problems: string[] = [];
  let count = 0;
  for (const [page, text] of texts) {
    for (const [, raw = ''] of text.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
      const target = decoded(raw);
      if (target === '' || /^[a-z]+:/.test(target)) continue;
      count += 1;
      const { pathname, hash } = new URL(target, `http://site/${page}`);
      let file = decodeURIComponent(pathname).slice(1);
      if (file === '' || file.endsWith('/')) file += 'index.html';
      else if (!existsSync(path.join(folder, file)) && existsSync(path.join(folder, `${file}.html`))) file += '.html';
      if (!existsSync(path.join(folder, file)) || !statSync(path.join(folder, file)).isFile()) {
        problems.push(`${page}: ${target} is not there`);
      } else if (hash !== '' && file.endsWith('.html')) {
        const id = decodeURIComponent(hash.slice(1));
        if (!(texts.get(file) ?? '').includes(`id="${id}"`))
          problems.push(`${page}: ${target}: the page has no such place`);
      }
    }
  }
  console.log(`${count} links of ${pages.length} pages`);
  if (pages.length < 30 || count < 500) problems.push('there is too little to check');
  return problems;
}

/** Search and theme with the keyboard alone. @returns what does not work */
async function keyboardProblems(page: Page, origin: string): Promise<string[]> {
  await page.setViewport({ width: 1280, height: 800 });
  await page.goto(`${origin}/docs/client.html`, { waitUntil: 'networkidle0' });
  await page.keyboard.press('/');
  await page.waitForSelector('#localsearch-input');
  await page.keyboard.type('PQ_ERR_HEARTBEAT');
  await page.waitForFunction(() => document.querySelectorAll('#localsearch-list a').length > 0);
  const found = await page.$$eval('#localsearch-list a', (links) => links.map((link) => link.pathname));
  await page.keyboard.press('Escape');
  const problems = found.some((name) => name.includes('/docs/errors'))
    ? []
    : ['search does not find the page on errors'];
  const before = await page.evaluate(() => document.documentElement.classList.contains('dark'));
  await page.focus('.VPSwitchAppearance');
  await page.keyboard.press('Enter');
  const after = await page.evaluate(() => document.documentElement.classList.contains('dark'));
  return before === after ? [...problems, 'the dark theme cannot be chosen with the keyboard'] : problems;
}

async function pageProblems(folder: string): Promise<string[]> {
  const server = await serve({}, folder);
  const browser = await startBrowser();
  const problems: string[] = [];
  try {
    const page = await browser.browser.newPage();
    page.on('pageerror', (error) => problems.push(`${page.url()}: ${String(error)}`));
    const origin = `http://127.0.0.1:${server.port}`;
    for (const { width, scheme } of VIEWS) {
      await page.setViewport({ width, height: 800 });
      await page.emulateMediaFeatures([
        { name: 'prefers-color-scheme', value: scheme },
        { name: 'prefers-reduced-motion', value: 'reduce' },
      ]);
      for (const name of LOOKED_AT) {
        await page.goto(`${origin}/${name}`, { waitUntil: 'networkidle0' });
        for (const violation of await axeViolations(page))
          problems.push(`${name}, ${width} px, ${scheme}: ${violation.slice(0, 400)}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > width) problems.push(`${name}: ${wide} pixels wide on a screen of ${width}`);
      }
    }
    problems.push(...(await keyboardProblems(page, origin)));
  } finally {
    await browser.close();
    await server.close();
  }
  return problems;
}

/** @returns a line for each problem */
export async function checkSite(folder: string): Promise<string[]> {
  return [...(await brokenLinks(folder)), ...(await pageProblems(folder))];
}
