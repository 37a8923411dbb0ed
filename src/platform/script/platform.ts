/** The script tag: as web.ts, whose parts are files beside the script. */
import { scriptPart } from './parts.ts';
import { webPlatform } from '../web-platform.ts';

export const platform = webPlatform({
  kem: () => scriptPart('kem'),
  otherKems: () => scriptPart('other-kems'),
  portable: async () => (await scriptPart('portable'))(() => scriptPart('other-kems')),
  signatures: () => scriptPart('ml-dsa'),
  extensions: () => scriptPart('extensions'),
  clientAuthentication: () => scriptPart('authentication'),
  yellowpages: () => scriptPart('yellowpages'),
});
