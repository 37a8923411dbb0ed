import { nobleKem } from '../../crypto/noble/kem.ts';
import { registerPart } from './registry.ts';

registerPart('kem', nobleKem);
