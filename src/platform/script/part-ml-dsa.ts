import { nobleSignatures } from '../../crypto/noble/signature.ts';
import { registerPart } from './registry.ts';

registerPart('ml-dsa', nobleSignatures);
