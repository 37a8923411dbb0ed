/** The portable backend: @noble's JavaScript alone, synchronous, for every platform. */
import { nobleKem } from './kem.ts';
import { loadOtherKems } from './load-other-kems.ts';
import { portableBackend } from './symmetric.ts';

export const nobleBackend = portableBackend(nobleKem, undefined, undefined, loadOtherKems);
