/** The demo's page: one PQWebSocket, and panels that show what it does. */

import { PQWebSocket } from 'pq-websocket';
import { DemoClient, factsOf } from '../client.ts';
import { Ledger } from '../ledger.ts';
import { closeProblem, type EndFacts, type Message } from '../messages.ts';
import { EndFollower, byId, make } from './dom.ts';
import { FactsPanel, Totals, type HelloSizes } from './facts.ts';
import { FilesPanel, newHasher } from './files.ts';
import { PlainPanel } from './plain.ts';
import { recordingWebSocket } from './recording.ts';
import { WireTable } from './wire-table.ts';

type State = 'connecting' | 'open' | 'closing' | 'closed';

const STATES: Record<State, string> = {
  connecting: 'Agreeing on a key',
  open: 'Connected and sealed',
  closing: 'Closing',
  closed: 'Closed',
};

const state = byId('state', HTMLElement);
const ended = byId('ended', HTMLElement);
const present = byId('present', HTMLElement);
const chatLog = byId('chat-log', HTMLElement);
const chatList = byId('chat-list', HTMLOListElement);
const chatEnd = new EndFollower(chatLog);
const chatText = byId('chat-text', HTMLInputElement);
const closeForm = byId('close-form', HTMLFormElement);
const closeCode = byId('close-code', HTMLInputElement);
const closeReason = byId('close-reason', HTMLInputElement);
const closeError = byId('close-problem', HTMLElement);

const table = new WireTable();
const facts = new FactsPanel();
let client: DemoClient | undefined;
let me = '';

const files = new FilesPanel(
  () => client,
  () => table.follow(),
);
const plain = new PlainPanel();
const reconnect = byId('reconnect', HTMLButtonElement);
/** Everything that only an open connection can use. */
const needsConnection = [
  ...byId('chat-form', HTMLFormElement).elements,
  ...closeForm.elements,
  byId('file', HTMLInputElement),
  byId('sample', HTMLButtonElement),
];

function setState(next: State): void {
  state.dataset['state'] = next;
  state.textContent = STATES[next];
  const open = next === 'open';
  // A control that is disabled loses the focus: what can be done next gets it.
  const hadFocus = needsConnection.some((element) => element === document.activeElement);
  files.enable(open);
  for (const element of needsConnection) {
    if (element instanceof HTMLInputElement || element instanceof HTMLButtonElement) element.disabled = !open;
  }
  if (!open && hadFocus) reconnect.focus();
}

function addChat(from: string, text: string, className: string): void {
  const item = make('li', className);
  if (from !== '') item.append(make('span', 'from', from));
  item.append(make('span', 'text', text));
  chatList.append(item);
  chatEnd.follow();
}

function heard(message: Message, here: Promise<EndFacts>): void {
  switch (message.type) {
    case 'welcome':
      me = message.name;
      addChat('', `You are ${me}`, 'note');
      showPresent(message.present);
      here.then((known) => facts.compare(known, message.end), ignoreEnded);
      break;
    case 'presence':
      addChat('', message.note, 'note');
      showPresent(message.present);
      break;
    case 'chat':
      addChat(message.from, message.text, message.from === me ? 'mine' : 'theirs');
      break;
    default:
      break;
  }
}

function showPresent(names: readonly string[]): void {
  present.textContent = names.join(', ');
}

function describeEnd(socket: PQWebSocket, event: { code: number; reason: string; wasClean: boolean }): string {
  const said = `Closed with ${String(event.code)}${event.reason === '' ? '' : ` “${event.reason}”`}.`;
  if (event.wasClean) return `${said} The close was sealed, and both ends know it.`;
  const { failure } = socket.pq;
  return failure ? `${said} Not clean: ${failure.message}.` : `${said} Not clean: the connection was cut.`;
}

/** Facts of a connection that ended meanwhile: the close event has said so already. */
function ignoreEnded(): void {}

/** @param byPerson whether somebody asked for it, who then goes on in the chat */
function connect(byPerson = false): void {
  const previous = client?.socket;
  client = undefined;
  if (previous && previous.readyState < WebSocket.CLOSING) previous.close(1000, 'reconnecting');
  table.clear();
  facts.clear();
  ended.hidden = true;
  setState('connecting');

  const totals = new Totals();
  const hellos: HelloSizes = { clientHello: 0, serverHello: 0 };
  let active = true;
  const ledger = new Ledger((row) => {
    if (!active) return;
    if (row.frame?.form === 'text') hellos[row.direction === 'out' ? 'clientHello' : 'serverHello'] = row.frameBytes;
    table.update(row);
    totals.count(row);
    facts.overhead(totals.said, totals.carried);
    facts.counted(socket.pq);
  });
  const socket: PQWebSocket = new PQWebSocket(new URL('chat', location.href), [], {
    WebSocket: recordingWebSocket((direction, frame) => ledger.carried(direction, frame)),
  });

  let here: Promise<EndFacts> | undefined;
  const started = new DemoClient(socket, ledger, newHasher, {
    message: (message) => {
      if (active && here) heard(message, here);
    },
    closed: (event) => {
      if (client !== started) return;
      setState('closed');
      showPresent([]);
      ended.textContent = describeEnd(socket, event);
      ended.dataset['clean'] = String(event.wasClean);
      ended.hidden = false;
    },
  });
  client = started;
  socket.addEventListener('open', () => {
    here = factsOf(socket);
    here.then((known) => {
      if (client === started) facts.opened(socket.pq, known, hellos);
    }, ignoreEnded);
    setState('open');
    if (byPerson && document.activeElement === reconnect) chatText.focus();
    started.say({ type: 'join', name: 'Browser' });
  });
  reconnect.onclick = () => {
    active = false;
    connect(true);
  };
}

byId('chat-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  const text = chatText.value.trim();
  if (text === '' || client?.socket.readyState !== WebSocket.OPEN) return;
  table.follow();
  client.say({ type: 'chat', from: me, text });
  plain.say(text);
  chatText.value = '';
});

/** The code and reason in the form, if an application may use them. */
function closeFields(): { code: number; reason: string } | undefined {
  const code = closeCode.valueAsNumber;
  const reason = closeReason.value;
  const problem = closeProblem(code, reason);
  closeError.textContent = problem ?? '';
  return problem === undefined ? { code, reason } : undefined;
}

closeForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = closeFields();
  if (!fields || !client) return;
  table.follow();
  client.close(fields.code, fields.reason);
  setState('closing');
});

byId('hang-up', HTMLButtonElement).addEventListener('click', () => {
  const fields = closeFields();
  table.follow();
  if (fields) client?.say({ type: 'hang-up', ...fields });
});

connect();
