/** Compares what two classes showed to the same cases. */
import type { Json } from './describe.ts';
import type { CaseRecord } from './record.ts';
import { BROKEN } from './record.ts';
import type { Entry } from './scene.ts';

/** A place in a record where the two differ. */
export interface Difference {
  /** The case, then the entry's label and the way into its value: `close: by the server / socket close.code`. */
  readonly path: string;
  readonly native: Json | undefined;
  readonly ours: Json | undefined;
}

/** @returns the differences of one case, none when the records are equal */
export function compareRecords(native: CaseRecord, ours: CaseRecord): Difference[] {
  const [left, right] = [new Map(native.entries), new Map(ours.entries)];
  const differences: Difference[] = [];
  const add = (where: string, one: Json | undefined, other: Json | undefined): void => {
    differences.push({ path: `${native.name} / ${where}`, native: one, ours: other });
  };
  for (const label of new Set([...left.keys(), ...right.keys()]))
    compareValues(label, left.get(label), right.get(label), add);
  // What proves nothing must not pass for equal.
  for (const label of Object.values(BROKEN)) {
    if (left.has(label) && right.has(label)) add(`${label}, with both`, left.get(label), right.get(label));
  }
  const [before, after] = [order(native.entries, right), order(ours.entries, left)];
  if (before.join('\n') !== after.join('\n')) add('(order)', before, after);
  return differences;
}

/** Labels that both records have, in this one's order. */
function order(entries: readonly Entry[], other: ReadonlyMap<string, Json>): string[] {
  return entries.map(([label]) => label).filter((label) => other.has(label));
}

function compareValues(
  path: string,
  native: Json | undefined,
  ours: Json | undefined,
  add: (path: string, native: Json | undefined, ours: Json | undefined) => void,
): void {
  if (isRecord(native) && isRecord(ours)) {
    for (const key of new Set([...Object.keys(native), ...Object.keys(ours)]))
      compareValues(`${path}.${key}`, native[key], ours[key], add);
  } else if (JSON.stringify(native) !== JSON.stringify(ours)) {
    add(path, native, ours);
  }
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A difference that is wanted. */
export interface Excuse {
  /** As `Difference.path`; `*` stands for any characters. */
  readonly path: string;
  readonly reason: string;
  /** Parts of the engine's name and context, as the table has them; default: all. */
  readonly engines?: readonly string[];
  readonly variant?: 'class' | 'polyfill';
  /** What each shows there, where that is always the same; compared as JSON. `null` in place of a missing value. */
  readonly native?: Json;
  readonly ours?: Json;
  /** Shows by chance only, so that nothing is missed where it does not. */
  readonly sometimes?: true;
}

export interface Verdict {
  readonly name: string;
  readonly verdict: 'equal' | 'wanted' | 'different';
  /** What no excuse covers. */
  readonly unexcused: readonly Difference[];
}

/** Where two records were made. */
export interface Place {
  readonly engine: string;
  readonly variant: 'class' | 'polyfill';
}

/** An excuse that nothing needs any more, in the engines that it names so. */
export interface Unused {
  readonly excuse: Excuse;
  /** Those of `excuse.engines` that have not needed it; none where it is for every engine. */
  readonly engines: readonly string[];
}

/** Judges by a list of excuses, and remembers which of them were needed where. */
export class Judge {
  readonly #used = new Map<Excuse, Place[]>();

  readonly #excuses: readonly Excuse[];

  constructor(excuses: readonly Excuse[]) {
    this.#excuses = excuses;
  }

  /**
   * Excuses that have matched nothing in an engine that they name, of those engines that have run as a whole.
   * @param ran where all cases of the place have run @param all the places that there are
   */
  unused(ran: readonly Place[], all: readonly Place[]): Unused[] {
    return this.#excuses
      .filter(({ sometimes }) => sometimes !== true)
      .flatMap((excuse): Unused[] => {
        const missed = (excuse.engines ?? ['']).filter((name) => {
          const one: Excuse = { ...excuse, engines: [name] };
          const hasRun = (place: Place): boolean =>
            ran.some(({ engine, variant }) => engine === place.engine && variant === place.variant);
          const could = all.filter((place) => applies(one, place));
          return (
            could.length > 0 &&
            could.every(hasRun) &&
            !(this.#used.get(excuse) ?? []).some((place) => applies(one, place))
          );
        });
        return missed.length === 0 ? [] : [{ excuse, engines: missed.filter((name) => name !== '') }];
      });
  }

  judge(place: Place, native: readonly CaseRecord[], ours: readonly CaseRecord[]): Verdict[] {
    const byName = new Map(ours.map((record) => [record.name, record]));
    const missing = (name: string): Verdict => ({
      name,
      verdict: 'different',
      unexcused: [{ path: `${name} / (missing)`, native: null, ours: null }],
    });
    const extra = ours.filter(({ name }) => !native.some((record) => record.name === name));
    const verdicts = native.map((record): Verdict => {
      const other = byName.get(record.name);
      if (other === undefined) return missing(record.name);
      const differences = compareRecords(record, other);
      const unexcused = differences.filter((difference) => !this.#excused(place, difference));
      return {
        name: record.name,
        unexcused,
        verdict: unexcused.length > 0 ? 'different' : differences.length > 0 ? 'wanted' : 'equal',
      };
    });
    return [...verdicts, ...extra.map(({ name }) => missing(name))];
  }

  #excused(place: Place, difference: Difference): boolean {
    const found = this.#excuses.filter((excuse) => applies(excuse, place) && matches(excuse, difference));
    for (const excuse of found) this.#used.set(excuse, [...(this.#used.get(excuse) ?? []), place]);
    return found.length > 0;
  }
}

function applies({ engines, variant }: Excuse, place: Place): boolean {
  return (
    (engines === undefined || engines.some((name) => place.engine.includes(name))) &&
    (variant === undefined || variant === place.variant)
  );
}

function matches({ path, native, ours }: Excuse, difference: Difference): boolean {
  const pattern = new RegExp(
    `^${path
      .split('*')
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
    's',
  );
  const same = (wanted: Json | undefined, value: Json | undefined): boolean =>
    wanted === undefined || JSON.stringify(wanted) === JSON.stringify(value ?? null);
  return pattern.test(difference.path) && same(native, difference.native) && same(ours, difference.ours);
}
