import { nobleBackend } from '../crypto/noble.ts';
import { registerPart } from '../platform/script-registry.ts';

registerPart('portable', nobleBackend);
