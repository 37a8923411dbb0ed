/**
 * The order of a script's declarations in which it compresses best. Functions that are declared in one scope are all there before any of it
 * runs, a class whose definition runs nothing can stand before all that does, and its methods are all there at once: any order of them
 * is the same program. gzip finds more in what stands near.
 */
import { gzip } from 'pako';

/** Beyond them little comes. */
const STEPS = 6_000;
const MOST_AT_ONCE = 5;

/** What stands together: the places that its members had, in the order in which they are to stand. */
export type Order = readonly number[];

/**
 * What it is judged by: what pages get. Not by Node's own gzip: that gives other bytes on other processors, and the order, with it the
 * script's hash, would be another one there.
 */
function cost(text: string): number {
  return gzip(text, { level: 9 }).length;
}

/** Numbers that look random, and are the same each time. */
function dice(): (sides: number) => number {
  let state = 1;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/**
 * Moves one member, or some that stand side by side, to anywhere else among those that it stands together with, and keeps that where it is
 * no worse.
 * @param sizes how many members stand together, of each that has some
 * @param written the whole script, with each in this order
 */
export function bestOrder(sizes: readonly number[], written: (orders: readonly Order[]) => string): Order[] {
  const roll = dice();
  const best: Order[] = sizes.map((size) => Array.from({ length: size }, (_, place) => place));
  /** Each group as often as it has members. */
  const movable = best.flatMap((order, group) => (order.length > 1 ? order.map(() => group) : []));
  let least = cost(written(best));
  for (let step = 0; step < STEPS && movable.length > 0; step += 1) {
    const group = movable[roll(movable.length)] as number;
    const before = best[group] as Order;
    const count = Math.min(roll(3) === 0 ? 1 + roll(MOST_AT_ONCE) : 1, before.length - 1);
    const rest = [...before];
    const moved = rest.splice(roll(before.length - count + 1), count);
    rest.splice(roll(rest.length + 1), 0, ...moved);
    best[group] = rest;
    const bytes = cost(written(best));
    if (bytes <= least) least = bytes;
    else best[group] = before;
  }
  return best;
}
