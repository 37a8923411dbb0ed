/** The original system as a peer: its client and its server, each written by hand in test/support. It speaks no v1. */
import { LONGEST_REQUEST } from './peer/echo-yellowpages.ts';
import { originalRequest } from '../support/original-client.ts';
import { startOriginalServer } from '../support/original-system.ts';
import type { Peer, Recipe, Verdict } from './peers.ts';

const REQUESTS: Readonly<Record<string, readonly [request: string, code: number]>> = {
  request: ['the request', 1000],
  'request-longest': ['x'.repeat(LONGEST_REQUEST), 1000],
  'request-too-long': ['x'.repeat(LONGEST_REQUEST + 1), 1008],
};

async function run(url: string, name: string): Promise<Verdict> {
  const [request, wanted] = REQUESTS[name] ?? ['', 0];
  const { code, wasClean, received } = await originalRequest(url, [request], { demandsDocument: true });
  const ok = code === wanted && wasClean && received.length === 0;
  return ok ? { case: name, ok } : { case: name, ok, detail: `closed with ${code}, clean ${wasClean}` };
}

const peer: Peer = {
  name: 'Original',
  family: 'Original',
  features: { server: ['original'], client: ['original'] },
  serve: () => startOriginalServer({ politely: 'done' }),
  connect: async (url, _options, only = []) => {
    const verdicts: Verdict[] = [];
    for (const name of only.length > 0 ? only : Object.keys(REQUESTS)) verdicts.push(await run(url, name));
    return verdicts;
  },
};

export const original: Recipe = { name: 'Original', tool: undefined, make: () => Promise.resolve([peer]) };
