import { existsSync } from 'node:fs';
import path from 'node:path';
import puppeteer from 'puppeteer-core'; // WebRTC needs a browser

/** PeerJS needs no host but this machine here: addresses are neither hidden behind names of mDNS, nor is loopback left out. */
const FLAGS = ['--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection'];

/** On PATH, where puppeteer-core does not look. */
const found = (name) =>
  process.env.PATH.split(path.delimiter)
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file));

export const startBrowser = (flags = process.getuid?.() === 0 ? ['--no-sandbox'] : []) =>
  puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? found('chromium'),
    pipe: true,
    args: [...FLAGS, ...flags],
  });

export async function openPage(browser, url) {
  const page = await browser.newPage();
  await page.goto(url.replace('ws:', 'http:'));
  return page;
}

export async function runClient(url, text = 'hello, peer') {
  const browser = await startBrowser();
  const page = await openPage(browser, url);
  const said = await page.evaluate(
    `(async () => echo(await join('ada'), await join('ben'), [${JSON.stringify(text)}]))()`,
  );
  await browser.close();
  return said;
}
