/** The ledger on the page: one line for each thing said, or carried by the layer itself. */

import { NONCE_BYTES, SEAL_BYTES, hexOf, type Frame, type Row, type Said } from '../ledger.ts';
import { EndFollower, byId, count, make } from './dom.ts';

const ROWS_SHOWN = 250;

export class WireTable {
  readonly #list = byId('wire-rows', HTMLOListElement);
  /** The hellos stay in view until the person does something: they are what there is to see first. */
  readonly #end = new EndFollower(byId('wire-scroll', HTMLElement), false);
  readonly #items = new Map<Row, HTMLLIElement>();
  readonly #dirty = new Set<Row>();
  #scheduled = false;

  /** Draws at most once a frame: a file changes the same line many times in between. */
  update(row: Row): void {
    this.#dirty.add(row);
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.#draw();
      this.#end.follow();
    });
  }

  /** The person has done something, and looks for what becomes of it. */
  follow(): void {
    this.#end.begin();
  }

  clear(): void {
    this.#items.clear();
    this.#dirty.clear();
    this.#list.replaceChildren();
  }

  #draw(): void {
    for (const row of this.#dirty) {
      const item = this.#items.get(row) ?? this.#add(row);
      item.replaceChildren(...cells(row));
    }
    this.#dirty.clear();
    while (this.#items.size > ROWS_SHOWN) {
      const [oldest] = this.#items;
      if (!oldest) break;
      oldest[1].remove();
      this.#items.delete(oldest[0]);
    }
  }

  #add(row: Row): HTMLLIElement {
    const item = make('li', row.direction);
    this.#items.set(row, item);
    this.#list.append(item);
    return item;
  }
}

function cells(row: Row): HTMLElement[] {
  const arrow = make('div', `arrow ${row.direction}`, row.direction === 'out' ? '↑' : '↓');
  arrow.setAttribute('role', 'img');
  arrow.setAttribute('aria-label', row.direction === 'out' ? 'from this page' : 'from the server');
  arrow.title = `${(row.at / 1000).toFixed(3)} s`;
  return [arrow, saidCell(row), carriedCell(row)];
}

function saidCell(row: Row): HTMLElement {
  const cell = make('div', 'said');
  cell.append(make('span', 'sr', 'Said: '));
  if (row.saidCount === 0) {
    cell.append(make('span', 'nothing', row.frame?.form === 'text' ? 'nothing yet: this is a hello' : 'nothing'));
    return cell;
  }
  for (const said of row.said) cell.append(make('span', `content ${said.form}`, said.preview));
  cell.append(make('span', 'size', saidSize(row)));
  return cell;
}

function saidSize(row: Row): string {
  const form: Said['form'] = row.said[0]?.form ?? 'text';
  const what =
    form === 'close' ? 'close code and reason' : row.saidCount > 1 ? `${form} × ${String(row.saidCount)}` : form;
  return `${what}, ${count(row.saidBytes, row.saidBytes === 1 ? 'byte' : 'bytes')}`;
}

function carriedCell(row: Row): HTMLElement {
  const cell = make('div', 'carried');
  cell.append(make('span', 'sr', 'Carried: '));
  const { frame } = row;
  if (!frame) {
    cell.append(make('span', 'nothing', row.note === '' ? 'not sent yet' : row.note));
    return cell;
  }
  cell.append(bytesOf(frame));
  cell.append(make('span', 'size', carriedSize(row, frame)));
  return cell;
}

function bytesOf(frame: Frame): HTMLElement {
  if (frame.form !== 'binary') return make('span', 'content text', frame.text);
  const line = make('span', 'content hex');
  line.append(make('span', 'nonce', hexOf(frame.head.subarray(0, NONCE_BYTES))), ' ');
  const sealed = hexOf(frame.head.subarray(NONCE_BYTES, NONCE_BYTES + 16));
  line.append(make('span', 'sealed', frame.bytes > frame.head.length ? `${sealed} …` : sealed));
  return line;
}

function carriedSize(row: Row, frame: Frame): string {
  if (frame.form === 'close') return row.note;
  const kind = frame.form === 'binary' ? 'sealed' : 'text';
  const what = row.frameCount > 1 ? `${kind} × ${String(row.frameCount)}` : kind;
  const more = row.saidCount === 1 && frame.bytes === row.saidBytes + SEAL_BYTES ? ` (+${String(SEAL_BYTES)})` : '';
  const size = `${what}, ${count(row.frameBytes, 'bytes')}${more}`;
  return row.note === '' ? size : `${row.note} · ${size}`;
}
