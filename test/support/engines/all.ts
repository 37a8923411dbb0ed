/** Every browser that tests run in. */
import { WEBKIT } from '../../../scripts/lib/webkit.ts';
import type { Engine } from './engine.ts';
import { startChromium, startFirefox } from './puppeteer.ts';
import { startWebKit } from './webkit.ts';

export interface EngineStart {
  readonly name: Engine['name'];
  /** @param flags more of Chromium's own */
  readonly start: (flags?: readonly string[]) => Promise<Engine>;
}

/** WebKitGTK is there on Linux alone. */
export const ENGINES: readonly EngineStart[] = [
  { name: 'Chromium', start: startChromium },
  { name: 'Firefox', start: () => startFirefox() },
  ...(WEBKIT.length > 0 ? [{ name: 'WebKitGTK', start: () => startWebKit() } as const] : []),
];
