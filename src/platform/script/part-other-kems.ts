import { nobleOtherKems } from '../../crypto/noble/other-kems.ts';
import { registerPart } from './registry.ts';

registerPart('other-kems', nobleOtherKems);
