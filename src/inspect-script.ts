/** The script tag's part for debugging: what `data-pq-inspect` loads. */
import { Inspector } from './connection/inspector.ts';
import { registerPart } from './platform/script/registry.ts';

const inspector = new Inspector();
inspector.publish();
registerPart('inspect', inspector.watch);
