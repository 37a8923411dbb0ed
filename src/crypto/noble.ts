/** The portable backend: @noble's JavaScript alone, synchronous, for every platform. */
import { nobleKem } from './noble-kem.ts';
import { portableBackend } from './noble-symmetric.ts';

export const nobleBackend = portableBackend(nobleKem);
