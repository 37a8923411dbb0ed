/** Reads a page's inspectors, again and again, and notices when it is another page. */
import { checkedAnswer, MAX_ANSWER } from './events.js';

/** Milliseconds between two looks at the page. */
const INTERVAL = 500;
/** Looks in a row while there is more: an answer holds 4 MiB at most, or one event. */
const MOST_IN_A_ROW = 8;
/** Copies of the package on one page that are read. */
const MAX_SOURCES = 8;

/**
 * @typedef {object} Look
 * @property {number} page which page it was: when its document began
 * @property {boolean} isOptedIn whether it has an inspector
 * @property {{ source: number, lost: number, unknown: number, events: import('./events.js').PageEvent[] }[]} answers
 */

/**
 * Runs in the page, by its source text: nothing from outside of it is there.
 * @param {number} page the page that `afters` is of
 * @param {number[]} afters for each inspector, how many of its events have been read
 * @param {number} most inspectors
 * @param {number} longest characters of an answer: of what is longer, messages come without their contents
 */
function inThePage(page, afters, most, longest) {
  const now = performance.timeOrigin;
  /** @type {unknown} */
  const list = Reflect.get(globalThis, Symbol.for('pq-websocket inspect'));
  const sources = Array.isArray(list) ? list.filter((source) => source?.version === 1).slice(0, most) : [];
  const without = (/** @type {string} */ name, /** @type {unknown} */ value) =>
    name === 'data' || name === 'frame' ? undefined : value;
  const answers = sources.map((source, index) => {
    const answer = source.read(now === page ? (afters[index] ?? 0) : 0);
    const isLong = typeof answer === 'string' && answer.length > longest;
    return isLong ? JSON.stringify(JSON.parse(answer, without)) : answer;
  });
  return { page: now, answers };
}

export class PageReader {
  #page = 0;
  /** @type {number[]} */
  #afters = [];
  #evaluate;
  #found;
  #failed;

  /**
   * @param {(expression: string) => Promise<unknown>} evaluate
   * @param {(look: Look) => void} found
   * @param {(message: string) => void} failed
   */
  constructor(evaluate, found, failed) {
    this.#evaluate = evaluate;
    this.#found = found;
    this.#failed = failed;
  }

  /** Looks, and goes on looking as long as the panel is there. */
  async run() {
    try {
      for (let looks = 0; looks < MOST_IN_A_ROW; looks += 1) if (!(await this.#look())) break;
    } catch (error) {
      this.#failed(error instanceof Error ? error.message : String(error));
    }
    setTimeout(() => void this.run(), INTERVAL);
  }

  /** @returns {Promise<boolean>} whether there may be more */
  async #look() {
    const afters = JSON.stringify(this.#afters);
    const given = await this.#evaluate(`(${inThePage})(${this.#page}, ${afters}, ${MAX_SOURCES}, ${MAX_ANSWER})`);
    const { page, answers } = /** @type {{ page?: unknown, answers?: unknown }} */ (given ?? {});
    if (typeof page !== 'number' || !Number.isFinite(page) || !Array.isArray(answers)) {
      throw new Error('the page did not answer');
    }
    // The page may have answered something else than what it was asked.
    const checked = answers.slice(0, MAX_SOURCES).map(checkedAnswer);
    this.#page = page;
    this.#afters = checked.map(({ next }) => next);
    this.#found({
      page,
      isOptedIn: checked.length > 0,
      answers: checked.map(({ lost, unknown, events }, source) => ({ source, lost, unknown, events })),
    });
    return checked.some(({ events }) => events.length > 0);
  }
}
