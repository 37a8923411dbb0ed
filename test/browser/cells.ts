/** Many small pages with the script tag, each in a frame of its own, a few at a time. Their `app.js` sends its parent one message: the outcome. */
import { POLYFILL } from '../../scripts/lib/script-tag.ts';

export interface Cell {
  readonly id: string;
  readonly html: string;
}

/** Of a key that no server has. */
export const WRONG_PIN = `sha256:${'0'.repeat(64)}`;

/** The page that holds the frames. */
export const CELLS_PAGE =
  '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body><script src="/run.js"></script>';

const RUN = `
  async function run(cells) {
    const outcomes = {};
    const one = async (cell) => {
      const frame = document.createElement('iframe');
      const said = new Promise((resolve) => { addEventListener('message', function hear({ source, data }) {
        if (source === frame.contentWindow) { removeEventListener('message', hear); resolve(data); }
      }); });
      frame.src = '/' + cell + '.html';
      document.body.append(frame);
      outcomes[cell] = await said;
      frame.remove();
    };
    const waiting = [...cells];
    await Promise.all(Array.from({ length: 6 }, async () => { while (waiting.length > 0) await one(waiting.shift()); }));
    return outcomes;
  }`;

/** What a server of cells has beside `CELLS_PAGE`. */
export function cellFiles(
  scripts: Readonly<Record<string, string>>,
  app: string,
  cells: readonly Cell[],
): Record<string, string> {
  return {
    ...scripts,
    'polyfill.js': scripts[POLYFILL] ?? '',
    'app.js': app,
    'run.js': RUN,
    ...Object.fromEntries(cells.map(({ id, html }) => [`${id}.html`, html])),
  };
}

/** An expression for `CELLS_PAGE`: a promise of the outcomes, by the cells' ids. */
export function runOf(cells: readonly Cell[]): string {
  return `run(${JSON.stringify(cells.map(({ id }) => id))})`;
}
