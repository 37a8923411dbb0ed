/** The TypeScript client in a page: the browser build, driven by test/interop/chromium.ts. */
import type { Verdict } from './cases.ts';
import { runCases } from './cases.ts';
import type { Features } from './features.ts';
import { FEATURES } from './features.ts';
import type { PeerArguments } from './options.ts';
import { clientOptions } from './options.ts';

export interface InteropPage {
  run(url: string, given: PeerArguments, only: readonly string[]): Promise<Verdict[]>;
  readonly features: Features;
}

const page: InteropPage = {
  run: async (url, given, only) => {
    const verdicts: Verdict[] = [];
    await runCases(
      { url, options: clientOptions(given), only, original: given.original === true, given },
      (verdict) => {
        verdicts.push(verdict);
      },
    );
    return verdicts;
  },
  features: FEATURES,
};
Object.assign(globalThis, { interop: page });
