import { type CaseSetup, type End, setupOf } from './cases.ts';
import { Peer } from './peer.ts';
import type { Side } from './schedule.ts';
import { BothPeer, YellowpagesPeer } from './yellowpages.ts';

/** The end that a case is about. */
export function createEnd(role: Side, setup: CaseSetup): End {
  if (setup.profile === 'yellowpages') return new YellowpagesPeer(role, setupOf(setup));
  if (setup.profile === 'both') return new BothPeer(setupOf(setup));
  return new Peer(role, setupOf(setup));
}
