/** Chromium and Firefox, each with a profile of its own that is deleted with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { launch } from 'puppeteer-core';
import type { LaunchOptions } from 'puppeteer-core';
import { chromiumBinary, chromiumFlags } from '../../../scripts/lib/chromium.ts';
import { firefoxBinary } from '../../../scripts/lib/firefox.ts';
import type { Engine } from './engine.ts';

const VIEWPORT = { width: 1280, height: 900 };

/** @param flags more of Chromium's own, such as `--js-flags=--expose-gc` */
export function startChromium(flags: readonly string[] = []): Promise<Engine> {
  return start('Chromium', {
    executablePath: chromiumBinary(),
    pipe: true,
    args: [...chromiumFlags(), ...flags],
  });
}

export function startFirefox(): Promise<Engine> {
  return start('Firefox', {
    browser: 'firefox',
    executablePath: firefoxBinary(),
    extraPrefsFirefox: {
      // After a connection that failed it would wait seconds before the next one.
      'network.websocket.delay-failed-reconnects': false,
      // Nothing but loopback is reached: Firefox has no resolver rules.
      'network.proxy.type': 1,
      'network.proxy.http': '127.0.0.1',
      'network.proxy.http_port': 9,
      'network.proxy.ssl': '127.0.0.1',
      'network.proxy.ssl_port': 9,
    },
  });
}

async function start(name: 'Chromium' | 'Firefox', options: LaunchOptions): Promise<Engine> {
  const profile = await mkdtemp(path.join(tmpdir(), `pq-websocket-${name.toLowerCase()}-`));
  const removeProfile = (): Promise<void> =>
    rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  try {
    const browser = await launch({
      ...options,
      userDataDir: profile,
      defaultViewport: VIEWPORT,
      protocolTimeout: 600_000,
      acceptInsecureCerts: true,
    });
    const version = /[\d.]+/.exec(await browser.version())?.[0] ?? 'unknown';
    return {
      name,
      version,
      async open(url) {
        const page = await browser.newPage();
        await page.goto(url, { waitUntil: 'load' });
        return {
          run: async (body) =>
            JSON.parse(
              (await page.evaluate(
                `(async () => JSON.stringify((await (async () => { ${body} })()) ?? null))()`,
              )) as string,
            ) as unknown,
          screenshot: async (file) => {
            await page.screenshot({ path: file });
          },
          close: () => page.close(),
        };
      },
      async close() {
        await browser.close();
        await removeProfile();
      },
    };
  } catch (error) {
    await removeProfile();
    throw error;
  }
}
