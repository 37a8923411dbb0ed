import { portableBackend } from '../crypto/noble-symmetric.ts';
import { registerPart } from '../platform/script-registry.ts';

registerPart('portable', portableBackend);
