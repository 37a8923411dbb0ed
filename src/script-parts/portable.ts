import { nobleKem } from '../crypto/noble-kem.ts';
import { pageBackend } from '../crypto/portable-page.ts';
import { registerPart } from '../platform/script-registry.ts';

registerPart('portable', pageBackend(nobleKem));
