import { nobleKem } from '../crypto/noble-kem.ts';
import { registerPart } from '../platform/script-registry.ts';

registerPart('kem', nobleKem);
