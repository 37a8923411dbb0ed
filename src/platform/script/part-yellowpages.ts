import { registerPart } from './registry.ts';
import { Yellowpages } from '../../protocol/yellowpages/profile.ts';

registerPart('yellowpages', Yellowpages);
