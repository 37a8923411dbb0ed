import { nobleSignatures } from '../crypto/noble-signature.ts';
import { registerPart } from '../platform/script-registry.ts';

registerPart('ml-dsa', nobleSignatures);
