/** The script tag: as web.ts, whose parts are files beside the script. */
import { chain } from '../../base/maybe-promise.ts';
import { scriptPart } from './parts.ts';
import { webPlatform } from '../web-platform.ts';

function none(): never {
  throw new Error('no client of the script tag has this');
}

export const platform = webPlatform({
  kem: () => scriptPart('kem'),
  // No attribute asks for one, and no client encapsulates.
  otherKems: none,
  encapsulation: none,
  portable: () => scriptPart('portable'),
  signatures: () => chain(scriptPart('ml-dsa'), ({ signatures }) => signatures),
  extensions: () => scriptPart('extensions'),
  clientAuthentication: () => chain(scriptPart('ml-dsa'), ({ authentication }) => authentication),
  yellowpages: () => scriptPart('yellowpages'),
});
