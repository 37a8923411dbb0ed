/** The panel: what `page.js` reads, in lists that can be searched. */
import { toJson } from './bytes.js';
import { evaluateInPage } from './chrome.js';
import { copy } from './copy.js';
import { Detail } from './detail.js';
import { definitions, element, find } from './dom.js';
import { matches } from './filter.js';
import { History } from './history.js';
import { Listbox } from './listbox.js';
import { PageReader } from './page.js';
import { factsOf, kindOf, summaryOf, timeOf } from './words.js';

/** Lines of the list at most, the latest. */
const MAX_LINES = 1_000;
/** The key of the line that stands for all connections. */
const ALL = '';

class Panel {
  #history = new History();
  #page = 0;
  #shown = 0;
  #isUnreadable = false;
  #detail = new Detail();
  #optedIn = find('#opted-in', HTMLElement);
  #optedOut = find('#opted-out', HTMLElement);
  #status = find('#status', HTMLElement);
  #facts = find('#facts', HTMLElement);
  #search = find('#search', HTMLInputElement);
  #direction = find('#direction', HTMLSelectElement);
  #kind = find('#kind', HTMLSelectElement);
  #keep = find('#keep', HTMLInputElement);
  #connections = new Listbox(find('#connections', HTMLElement), () => this.#draw());
  #events = new Listbox(find('#events', HTMLElement), (key) => {
    this.#detail.show(this.#history.entries.find((entry) => entry.key === key)?.event);
  });

  constructor() {
    for (const control of [this.#search, this.#direction, this.#kind]) {
      control.addEventListener('input', () => this.#draw());
    }
    find('#clear', HTMLElement).addEventListener('click', () => this.#clear());
    find('#copy-all', HTMLElement).addEventListener('click', () => {
      const events = this.#matching(this.#history.entries).map(({ event }) => event);
      copy(toJson(events), events.length === 1 ? '1 event' : `${events.length} events`);
    });
    this.#clear();
  }

  /** @param {import('./page.js').Look} look */
  take(look) {
    if (look.page !== this.#page) {
      this.#page = look.page;
      this.#history.leave();
      if (this.#keep.checked) this.#drawConnections();
      else this.#clear();
    }
    const added = this.#history.add(look);
    const hasAny = look.isOptedIn || this.#history.entries.length > 0;
    this.#optedIn.hidden = !hasAny;
    this.#optedOut.hidden = hasAny;
    if (this.#isUnreadable) this.#drawStatus();
    this.#isUnreadable = false;
    if (added.length === 0) return;
    const { connections } = this.#history;
    // One that is dropped at once has no line, however many a page makes up.
    for (const connection of new Set(added.map((entry) => entry.connection))) {
      if (connections.get(connection.key) === connection) this.#putConnection(connection);
    }
    this.#connections.retain((key) => key === ALL || connections.has(key));
    if (this.#connections.has(this.#connections.selected)) {
      this.#append(added);
      this.#drawFacts();
    } else this.#connections.select(ALL);
  }

  /** @param {string} message */
  complain(message) {
    this.#isUnreadable = true;
    this.#status.textContent = `The page cannot be read: ${message}`;
  }

  #filter() {
    return {
      connection: this.#connections.selected,
      search: this.#search.value,
      direction: this.#direction.value,
      kind: this.#kind.value,
    };
  }

  /** @param {import('./history.js').Entry[]} entries */
  #matching(entries) {
    const filter = this.#filter();
    return entries.filter((entry) => matches(entry, filter));
  }

  #clear() {
    this.#history.clear();
    this.#drawConnections();
    this.#events.selected = '';
    this.#detail.show(undefined);
    this.#connections.select(ALL);
  }

  /** Everything anew, for another filter. */
  #draw() {
    this.#shown = 0;
    this.#events.clear();
    this.#append(this.#history.entries);
    this.#drawFacts();
  }

  /** @param {import('./history.js').Entry[]} entries the latest */
  #append(entries) {
    const matching = this.#matching(entries);
    this.#shown += matching.length;
    const list = find('#events', HTMLElement);
    const isAtEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    for (const entry of matching.slice(-MAX_LINES)) this.#events.put(entry.key, lineOf(entry));
    this.#events.shorten(MAX_LINES);
    // Who has scrolled up reads something there.
    if (isAtEnd) list.scrollTop = list.scrollHeight;
    this.#drawStatus();
  }

  #drawStatus() {
    const { entries, lost, unknown } = this.#history;
    const said = [`${Math.min(this.#shown, entries.length)} of ${entries.length} events match.`];
    if (this.#events.size < this.#shown) said.push(`The list has the latest ${this.#events.size}.`);
    if (lost > 0) said.push(`${lost} were gone before they could be read.`);
    if (unknown > 0) said.push(`${unknown} have a shape that this panel does not know, and are left out.`);
    this.#status.textContent = said.join(' ');
  }

  #drawConnections() {
    this.#connections.clear();
    this.#connections.put(ALL, [element('span', '', 'All sockets')]);
    for (const connection of this.#history.connections.values()) this.#putConnection(connection);
  }

  /** @param {import('./history.js').Connection} connection */
  #putConnection(connection) {
    this.#connections.put(connection.key, [
      element('span', 'name', connection.name),
      element('span', connection.state === 'failed' ? 'failed' : '', connection.state),
      element('span', '', connection.url || connection.role),
    ]);
  }

  #drawFacts() {
    const connection = this.#history.connections.get(this.#connections.selected);
    this.#facts.replaceChildren(
      connection === undefined ? element('p', '', 'Choose a socket.') : definitions(factsOf(connection)),
    );
  }
}

/** @param {import('./history.js').Entry} entry */
function lineOf({ connection, event }) {
  const { direction = '' } = event;
  const unit = event.type === 'hello' ? 'chars' : 'B';
  return [
    element('span', 'time', timeOf(event.at)),
    element('span', 'name', connection.name),
    element('span', `direction ${direction}`, direction),
    element('span', event.type === 'failure' ? 'kind failed' : 'kind', kindOf(event)),
    element('span', 'size', event.size === undefined ? '' : `${event.size} ${unit}`),
    element('span', 'summary', summaryOf(event)),
  ];
}

const panel = new Panel();
void new PageReader(
  evaluateInPage,
  (look) => panel.take(look),
  (message) => panel.complain(message),
).run();
