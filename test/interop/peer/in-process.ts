/** The TypeScript peer without a process of its own: for the hostile cases, of which there are many. */
import type { Peer, Verdict } from '../peers.ts';
import { runCases } from './cases.ts';
import { parseCommand } from './command.ts';
import { FEATURES } from './features.ts';
import { listen } from './listen.ts';
import { clientOptions } from './options.ts';

export const inProcessPeer: Peer = {
  name: 'TypeScript',
  family: 'TypeScript',
  features: FEATURES,
  serve: (options) => listen(0, parseCommand(options).values),
  connect: async (url, options, only = []) => {
    const verdicts: Verdict[] = [];
    const { values } = parseCommand(options);
    await runCases(
      { url, options: clientOptions(values), only, original: values.original === true, given: values },
      (verdict) => {
        verdicts.push(verdict);
      },
    );
    return verdicts;
  },
};
