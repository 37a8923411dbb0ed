import puppeteer from 'puppeteer-core'; // WebRTC needs a browser

/** PeerJS needs no host but this machine here: addresses are neither hidden behind names of mDNS, nor is loopback left out. */
const FLAGS = ['--disable-features=WebRtcHideLocalIpsWithMdns', '--allow-loopback-in-peer-connection'];

export const startBrowser = (flags = process.getuid?.() === 0 ? ['--no-sandbox'] : []) =>
  puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
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
