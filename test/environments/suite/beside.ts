/** A program beside what changes Node under it: the arguments say what is loaded, in this order, and `pq-websocket` is one of them. */
import type { PQWebSocketConstructor } from 'pq-websocket';
import { talk, WHOLE } from './talk.ts';

/** Without types: there are none for this entry. */
const ZONE: string = 'zone.js/node';
declare const lockdown: (options: object) => void;

let PQWebSocket: PQWebSocketConstructor | undefined;
const LOADERS: Readonly<Record<string, () => Promise<void>>> = {
  zone: async () => {
    await import(ZONE);
  },
  ses: async () => {
    await import('ses');
    lockdown({ errorTaming: 'unsafe', consoleTaming: 'unsafe', overrideTaming: 'severe' });
  },
  'pq-websocket': async () => {
    ({ PQWebSocket } = await import('pq-websocket'));
  },
};

for (const name of process.argv.slice(2)) await LOADERS[name]?.();
const url = process.env['PQ_URL'] as string;
for (const options of [{}, { headers: {} }]) {
  const seen = await talk(new (PQWebSocket as PQWebSocketConstructor)(url, undefined, options));
  if (JSON.stringify(seen) !== JSON.stringify(WHOLE)) throw new Error(`saw ${JSON.stringify(seen)}`);
}
process.exit();
