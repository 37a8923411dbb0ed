/** The playground: a client, a server and the wire between them in one page, which reaches nothing else. */
import { PQWebSocket } from 'pq-websocket';
import type { PQWebSocketError } from 'pq-websocket';
import { wrapServerSocket } from 'pq-websocket/server';
import type { ServerSocket } from 'pq-websocket/server';
import type { Carried, Direction, Meddling } from './wire.ts';
import { Wire } from './wire.ts';

type Experiment = Meddling | 'flip-hello' | 'talk' | 'close';

interface Explained {
  readonly does: string;
  /** Why the end that found it did. */
  readonly because: string;
}

const EXPLAINED: Readonly<Record<Experiment, Explained>> = {
  talk: {
    does: 'The client says something and the server answers.',
    because: 'Nobody meddled: both messages were read.',
  },
  close: {
    does: 'The client closes.',
    because: 'The close was sealed as messages are: each end knows that the other meant it.',
  },
  flip: {
    does: 'One bit of a sealed frame is flipped.',
    because:
      'AES-256-GCM computes a tag over every bit. One that differs, and nothing of the frame is shown to anybody.',
  },
  drop: {
    does: 'One frame is swallowed, the next one gets through.',
    because: 'Each frame is sealed with its number. The next one has the number after the one that is missing.',
  },
  replay: {
    does: 'One frame is delivered twice.',
    because: 'The second copy has a number that has been used. It opens under no other.',
  },
  reorder: {
    does: 'Two frames change places.',
    because: 'The later one came where the earlier one was due, and its number says so.',
  },
  cut: {
    does: 'The connection is cut in the middle of a frame.',
    because: 'No sealed close came. An end that is cut can be told from one that was meant.',
  },
  'flip-hello': {
    does: 'One character of the server’s hello is changed, on a new connection.',
    because:
      'Both hellos are in the hash that all keys come from. With one character changed no two ends agree on a key.',
  },
};

function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} with the id ${id}`);
  return found;
}

const wireList = byId('wire', HTMLOListElement);
const verdict = byId('verdict', HTMLElement);
const logs = { client: byId('client-log', HTMLOListElement), server: byId('server-log', HTMLOListElement) };
const states = { client: byId('client-state', HTMLElement), server: byId('server-state', HTMLElement) };
const buttons = [...document.querySelectorAll<HTMLButtonElement>('button[data-experiment]')];
const FRAMES_SHOWN = 60;
const HEAD_BYTES = 20;

function item(list: HTMLOListElement, text: string, className = ''): HTMLLIElement {
  const element = document.createElement('li');
  element.textContent = text;
  element.className = className;
  list.append(element);
  while (list.childElementCount > FRAMES_SHOWN) list.firstElementChild?.remove();
  return element;
}

function headOf(data: string | Uint8Array): string {
  if (typeof data === 'string') return data.length > 60 ? `${data.slice(0, 60)}…` : data;
  const hex = [...data.subarray(0, HEAD_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return data.length > HEAD_BYTES ? `${hex} …` : hex;
}

function draw({ direction, data, fate }: Carried): void {
  const isHello = typeof data === 'string';
  const size = isHello ? new TextEncoder().encode(data).length : data.length;
  const row = item(
    wireList,
    '',
    `${direction === 'to server' ? 'right' : 'left'} ${fate === 'delivered' ? '' : 'meddled'}`,
  );
  const part = (className: string, text: string): void => {
    const span = document.createElement('span');
    span.className = className;
    span.textContent = text;
    row.append(span, ' ');
  };
  part('arrow', direction === 'to server' ? 'client → server' : 'client ← server');
  part('what', `${isHello ? 'hello, readable' : 'sealed'}, ${size} bytes`);
  if (fate !== 'delivered') part('fate', fate);
  part('bytes', headOf(data));
  row.scrollIntoView({ block: 'nearest' });
}

type End = 'client' | 'server';

function ended(end: End, code: number, reason: string, wasClean: boolean, failure: PQWebSocketError | null): void {
  const why = failure === null ? '' : `, ${failure.code}: ${failure.message}`;
  states[end].textContent = wasClean ? `closed with ${code}` : `failed with ${code}`;
  item(
    logs[end],
    `closed: ${code}${reason === '' ? '' : ` “${reason}”`}${wasClean ? ', clean' : ', not clean'}${why}`,
    wasClean ? 'note' : 'bad',
  );
}

/** One connection, from the first hello on. */
class Connection {
  readonly wire = new Wire(draw);
  readonly client: PQWebSocket;
  readonly server: ServerSocket;
  readonly over: Promise<unknown>;

  constructor(armed?: readonly [Direction, Meddling]) {
    for (const list of [wireList, logs.client, logs.server]) list.replaceChildren();
    if (armed !== undefined) this.wire.arm(...armed);
    const { wire } = this;
    this.server = wrapServerSocket(wire.server);
    this.client = new PQWebSocket('wss://playground.invalid/', [], {
      WebSocket: class {
        constructor() {
          return wire.client;
        }
      },
    });
    for (const end of ['client', 'server'] as const) states[end].textContent = 'agreeing on a key';
    this.client.addEventListener('open', () => {
      states.client.textContent = 'open';
      item(logs.client, `open: ${this.client.pq.kem}, ${this.client.pq.cipher}`, 'note');
    });
    this.client.addEventListener('message', ({ data }) => item(logs.client, `heard: ${String(data)}`));
    this.server.on('open', () => {
      states.server.textContent = 'open';
    });
    this.server.on('message', (data) => {
      const text = new TextDecoder().decode(data);
      item(logs.server, `heard: ${text}`);
      this.server.send(`you said “${text}”`);
    });
    this.server.on('error', () => undefined);
    this.over = Promise.all([
      new Promise<void>((resolve) => {
        this.client.addEventListener('close', ({ code, reason, wasClean }) => {
          ended('client', code, reason, wasClean, this.client.pq.failure);
          resolve();
        });
      }),
      new Promise<void>((resolve) => {
        this.server.addEventListener('close', (event) => {
          ended('server', event.code, event.reason, event.wasClean, this.server.pq.failure);
          resolve();
        });
      }),
    ]);
  }

  say(text: string): void {
    item(logs.client, `said: ${text}`);
    this.client.send(text);
  }
}

let current = new Connection();

const task = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve);
  });

/** An answer, or the end of the connection. */
function answer({ client, over }: Connection): Promise<unknown> {
  return Promise.race([
    over,
    new Promise((resolve) => {
      client.addEventListener('message', resolve, { once: true });
    }),
  ]);
}

async function open(): Promise<Connection> {
  if (current.client.readyState > PQWebSocket.OPEN) current = new Connection();
  await current.client.opened;
  return current;
}

async function run(experiment: Experiment): Promise<void> {
  if (experiment === 'flip-hello') {
    current.client.close();
    await current.over;
    current = new Connection(['to client', 'flip']);
    await current.over;
    return;
  }
  const connection = await open();
  if (experiment === 'close') {
    connection.client.close(4000, 'that is all');
    await connection.over;
    return;
  }
  if (experiment !== 'talk') connection.wire.arm('to server', experiment);
  const answered = answer(connection);
  connection.say('Hello');
  if (experiment === 'drop' || experiment === 'reorder') {
    // In a turn of its own, so that it is a frame of its own.
    await task();
    await task();
    connection.say('Are you there?');
  }
  await (experiment === 'talk' ? answered : connection.over);
}

for (const button of buttons) {
  button.addEventListener('click', () => {
    const experiment = button.dataset['experiment'] as Experiment;
    const { does, because } = EXPLAINED[experiment];
    // Not disabled: who is at it with the keyboard would lose the focus.
    if (verdict.dataset['state'] === 'running') return;
    verdict.dataset['state'] = 'running';
    verdict.textContent = does;
    void run(experiment).then(
      () => {
        const failure = current.server.pq.failure ?? current.client.pq.failure;
        const found = failure === null ? '' : ` ${failure.code}: ${failure.message}.`;
        verdict.textContent = `${does}${found} ${because}`;
        verdict.dataset['state'] = failure === null ? 'good' : 'found';
      },
      (error: unknown) => {
        verdict.textContent = String(error);
        verdict.dataset['state'] = 'found';
      },
    );
  });
}

void current.client.opened.then(() => {
  verdict.dataset['state'] = 'ready';
});
