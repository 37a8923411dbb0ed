/**
 * Plausible mistakes of a peer, as changes to the reference peer (test/reference). Each is something that a reader of PROTOCOL.md
 * could write, that an honest peer would hardly ever notice, and that matters. `find` stands exactly once in the file; where it does not, the run fails.
 */
export interface Mutant {
  readonly id: string;
  /** Of PROTOCOL.md. */
  readonly section: string;
  readonly title: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** More of the same change, where one place is not enough. */
  readonly more?: readonly (readonly [find: string, replace: string])[];
}

type Row = readonly [id: string, title: string, file: string, find: string, replace: string, more?: Mutant['more']];
export const of = (section: string, rows: readonly Row[]): Mutant[] =>
  rows.map(([id, title, file, find, replace, more = []]) => ({
    id: `${section}-${id}`,
    section,
    title,
    file,
    find,
    replace,
    more,
  }));

export const PEER = 'peer.ts';
export const TEXT = 'text.ts';
export const HELLOS = 'hellos.ts';
export const RECORDS = 'records.ts';
export const SCHEDULE = 'schedule.ts';
export const AUTH = 'authentication.ts';
export const YP = 'yellowpages.ts';
