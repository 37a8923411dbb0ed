/** The script tag: as web.ts, whose parts are files beside the script. */
import { chain } from '../../base/maybe-promise.ts';
import { noOtherKems } from '../../crypto/portable-kem.ts';
import { scriptPart } from './parts.ts';
import { webPlatform } from '../web-platform.ts';

function onlyOnServers(): never {
  throw new Error('only servers encapsulate');
}

export const platform = webPlatform({
  kem: () => scriptPart('kem'),
  // No attribute asks for one.
  otherKems: noOtherKems,
  encapsulation: onlyOnServers,
  portable: async () => scriptPart('portable'),
  signatures: () => chain(scriptPart('ml-dsa'), ({ signatures }) => signatures),
  extensions: () => scriptPart('extensions'),
  clientAuthentication: () => chain(scriptPart('ml-dsa'), ({ authentication }) => authentication),
  yellowpages: () => scriptPart('yellowpages'),
});
