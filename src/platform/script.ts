/** The script tag: as web.ts, whose parts are files beside the script. */
import { nobleKem } from '../crypto/noble-kem.ts';
import { scriptPart } from './script-parts.ts';
import { webPlatform } from './web-platform.ts';

export const platform = webPlatform({
  kem: nobleKem,
  portable: async () => (await scriptPart('portable'))(nobleKem),
  signatures: () => scriptPart('ml-dsa'),
  yellowpages: () => scriptPart('yellowpages'),
});
