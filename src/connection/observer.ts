/**
 * Where `pq-websocket/inspect` takes its place. Modules of this package alone reach it: there is no global, no event and no option that
 * sets it. On Node observer-node.ts stands here.
 */
import type { Observer } from './observe.ts';

export const observer: Observer = { watch: undefined };
