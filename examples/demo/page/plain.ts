/** On request: what is said in the chat over the browser's own WebSocket too, so that both can be looked at side by side. */
import { byId, count, make } from './dom.ts';

/** Few: the list does not scroll. */
const ROWS_SHOWN = 8;

export class PlainPanel {
  readonly #button = byId('plain', HTMLButtonElement);
  readonly #note = byId('plain-note', HTMLElement);
  readonly #rows = byId('plain-rows', HTMLOListElement);
  #socket: WebSocket | undefined;

  constructor() {
    this.#button.addEventListener('click', () => {
      if (this.#socket === undefined) this.#open();
      else this.#socket.close(1000);
    });
  }

  /** Nothing goes out where nobody has asked for the comparison. */
  say(text: string): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#show('out', text);
    this.#socket.send(text);
  }

  #open(): void {
    const address = new URL('plain', location.href);
    address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#tell('Connecting without encryption of its own.', true);
    socket.addEventListener('open', () => {
      this.#tell('Connected. What you say in the chat goes here too, and the network can read it.', true);
    });
    socket.addEventListener('message', ({ data }) => {
      this.#show('in', String(data));
    });
    socket.addEventListener('close', () => {
      this.#socket = undefined;
      this.#tell('Not connected. Press Compare to say the same over an ordinary WebSocket too, unencrypted.', false);
    });
  }

  #tell(text: string, pressed: boolean): void {
    this.#note.textContent = text;
    this.#button.setAttribute('aria-pressed', String(pressed));
  }

  #show(direction: 'out' | 'in', text: string): void {
    const item = make('li', direction);
    const arrow = make('div', `arrow ${direction}`, direction === 'out' ? '↑' : '↓');
    arrow.setAttribute('role', 'img');
    arrow.setAttribute('aria-label', direction === 'out' ? 'from this page' : 'from the server');
    const said = make('div', 'said');
    said.append(make('span', 'content text', text));
    const carried = make('div', 'carried');
    const bytes = new TextEncoder().encode(text).length;
    carried.append(make('span', 'sr', 'Carried: '), make('span', 'content text', text));
    carried.append(make('span', 'size', `readable, ${count(bytes, bytes === 1 ? 'byte' : 'bytes')}`));
    item.append(arrow, said, carried);
    this.#rows.append(item);
    while (this.#rows.childElementCount > ROWS_SHOWN) this.#rows.firstElementChild?.remove();
  }
}
