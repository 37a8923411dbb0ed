/**
 * The order of a script's functions in which it compresses best. Functions that are declared in one scope are all there before any of it runs,
 * so that any order of them is the same program; gzip finds more in what stands near.
 */
import { constants, zstdCompressSync } from 'node:zlib';

/** Beyond them little comes. */
const STEPS = 4_000;
const MOST_AT_ONCE = 5;

/**
 * What it is judged by. Not gzip itself: zlib gives other bytes on other processors, and the order, with it the script's hash, would be
 * another one there. zstd gives the same everywhere.
 */
function cost(text: string): number {
  return zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 9 } }).length;
}

/** Numbers that look random, and are the same each time. */
function dice(): (sides: number) => number {
  let state = 1;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Moves one function, or some that stand together, to anywhere else, and keeps that where it is no worse. */
export function bestOrder(functions: readonly string[]): string[] {
  const roll = dice();
  let best = [...functions];
  let least = cost(best.join(''));
  for (let step = 0; step < STEPS && best.length > MOST_AT_ONCE; step += 1) {
    const count = roll(3) === 0 ? 1 + roll(MOST_AT_ONCE) : 1;
    const rest = [...best];
    const moved = rest.splice(roll(best.length - count), count);
    rest.splice(roll(rest.length + 1), 0, ...moved);
    const bytes = cost(rest.join(''));
    if (bytes <= least) [best, least] = [rest, bytes];
  }
  return best;
}
