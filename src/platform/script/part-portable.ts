import { nobleKem } from '../../crypto/noble/kem.ts';
import { pageBackend } from '../../crypto/noble/page.ts';
import { registerPart } from './registry.ts';

registerPart('portable', pageBackend(nobleKem));
