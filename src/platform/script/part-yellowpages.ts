import { registerPart } from './registry.ts';
import { YellowpagesSession } from '../../protocol/yellowpages/session.ts';

registerPart('yellowpages', YellowpagesSession);
