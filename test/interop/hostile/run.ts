/** All hostile cases against one implementation, several at a time. */
import type { Peer } from '../peers.ts';
import { HOSTILE_CASES, LEFT_OUT_BY_THE_DRIVER } from './cases.ts';
import type { Outcome } from './driver.ts';
import { play, Servers } from './driver.ts';

const AT_A_TIME = 4;

export interface Tally {
  readonly name: string;
  /** By the rows of PROTOCOL.md, section 17; each with how its cases came out. */
  readonly rows: ReadonlyMap<string, readonly Outcome[]>;
  readonly holes: readonly string[];
}

export async function playAll(peer: Peer): Promise<Tally> {
  const queue = HOSTILE_CASES.filter(({ victim }) => peer.features[victim].length > 0);
  const rows = new Map<string, Outcome[]>();
  const holes: string[] = [];
  const servers = new Servers(peer);
  const work = async (): Promise<void> => {
    for (let hostile = queue.shift(); hostile !== undefined; hostile = queue.shift()) {
      const outcome = await play(hostile, peer, servers);
      const { refusal, victim, name } = hostile;
      rows.set(refusal, [...(rows.get(refusal) ?? []), outcome]);
      if (outcome.type === 'hole') holes.push(`hostile to ${peer.name}'s ${victim}: ${name}: ${outcome.detail}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  } finally {
    await servers.stop();
  }
  return { name: peer.name, rows, holes };
}

/** The rows in the order of the cases, then those that the driver leaves out. */
export function refusalRows(): { readonly refusal: string; readonly reason: string | undefined }[] {
  const played = [...new Set(HOSTILE_CASES.map(({ refusal }) => refusal))];
  return [
    ...played.map((refusal) => ({ refusal, reason: undefined })),
    ...Object.entries(LEFT_OUT_BY_THE_DRIVER).map(([refusal, reason]) => ({ refusal, reason })),
  ];
}
