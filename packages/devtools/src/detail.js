/** One event in full: what it says as text or hex, and what the wire carried. */
import { hexDump, toJson } from './bytes.js';
import { copy } from './copy.js';
import { definitions, find } from './dom.js';
import { summaryOf, wireOf } from './words.js';

/** Bytes that are shown as hex at most, and characters of text: the copy has all of them. */
const MAX_HEX = 64 * 1024;
const MAX_TEXT = 256 * 1024;

export class Detail {
  #nothing = find('#nothing', HTMLElement);
  #box = find('#detail', HTMLElement);
  #content = find('#content', HTMLElement);
  #wire = find('#wire', HTMLElement);
  #frame = find('#frame', HTMLElement);
  /** @type {import('./events.js').PageEvent | undefined} */
  #event;

  constructor() {
    find('#views', HTMLElement).addEventListener('change', () => this.#drawContent());
    find('#copy', HTMLElement).addEventListener('click', () => {
      if (this.#event !== undefined) copy(toJson(this.#event), 'the event');
    });
  }

  /** @param {import('./events.js').PageEvent | undefined} event */
  show(event) {
    if (event !== undefined && event === this.#event) return;
    this.#event = event;
    this.#nothing.hidden = event !== undefined;
    this.#box.hidden = event === undefined;
    if (event === undefined) return;
    // What it is comes first: bytes as hex, text as text. The choice remains.
    const usual = event.data instanceof Uint8Array ? 'hex' : 'text';
    find(`#views input[value=${usual}]`, HTMLInputElement).checked = true;
    this.#drawContent();
    this.#wire.replaceChildren(definitions(wireOf(event)));
    const frame = event.record?.frame;
    this.#frame.hidden = frame === undefined;
    if (frame !== undefined) {
      const rest = (event.record?.bytes ?? 0) - frame.length;
      this.#frame.textContent =
        hexDump(frame) + (rest > 0 ? `\n… and ${rest} more bytes, which the page did not keep` : '');
    }
  }

  #drawContent() {
    if (this.#event === undefined) return;
    const { data = summaryOf(this.#event) } = this.#event;
    const asHex = find('#views input[value=hex]', HTMLInputElement).checked;
    this.#content.classList.toggle('hex', asHex);
    this.#content.textContent = asHex ? hexOf(data) : textOf(data);
  }
}

/** @param {string | Uint8Array} data */
function hexOf(data) {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return hexDump(bytes.subarray(0, MAX_HEX)) + more(bytes.length - MAX_HEX, 'bytes');
}

/** @param {string | Uint8Array} data */
function textOf(data) {
  const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
  return text.slice(0, MAX_TEXT) + more(text.length - MAX_TEXT, 'characters');
}

/**
 * @param {number} count
 * @param {string} what
 */
const more = (count, what) => (count > 0 ? `\n… and ${count} more ${what}` : '');
