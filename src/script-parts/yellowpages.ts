import { registerPart } from '../platform/script-registry.ts';
import { YellowpagesSession } from '../protocol/yellowpages.ts';

registerPart('yellowpages', YellowpagesSession);
