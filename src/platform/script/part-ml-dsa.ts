/** What pins need: whoever judges by them verifies signatures too, so one file has both. */
import { nobleSignatures } from '../../crypto/noble/signature.ts';
import { clientAuthentication } from '../../protocol/client-authentication.ts';
import { registerPart } from './registry.ts';

registerPart('ml-dsa', { signatures: nobleSignatures, authentication: clientAuthentication });
