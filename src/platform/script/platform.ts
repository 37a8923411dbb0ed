/** The script tag: as web.ts, whose parts are files beside the script. */
import { scriptPart } from './parts.ts';
import { webPlatform } from '../web-platform.ts';

export const platform = webPlatform({
  kem: () => scriptPart('kem'),
  portable: async () => scriptPart('portable'),
  signatures: () => scriptPart('ml-dsa'),
  yellowpages: () => scriptPart('yellowpages'),
});
