/** The Node client in the terminal: what is typed is said, and every line of the ledger is printed. */

import { createInterface } from 'node:readline';
import type { DemoClient, Transfer } from './client.ts';
import { factsOf } from './client.ts';
import { factLines, rowLine, TABLE_HEAD } from './format.ts';
import { fileSource } from './guest.ts';
import { FOLD_BYTES, type Direction, type Row } from './ledger.ts';
import type { Message } from './messages.ts';
import { connectTapped, type Tapped } from './tapped.ts';

const NAME = 'Terminal';
const HELP = [
  '  Type a message, or:',
  '    /file PATH           send a file        /sample   receive one',
  '    /close CODE REASON   close and stop     /facts    the handshake again',
];

export interface Terminal {
  /** Resolves when the person has ended it. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Prints a row once it is complete. A large one may still grow, until the next of its direction has come. */
class Printer {
  readonly #print: (line: string) => void;
  readonly #printed = new WeakSet<Row>();
  readonly #growing: Record<Direction, Row | undefined> = { out: undefined, in: undefined };

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  show(row: Row): void {
    if (this.#printed.has(row) || !row.frame) return;
    if (row.saidCount === 0 && row.note === '') return;
    const growing = this.#growing[row.direction];
    if (growing === row) return;
    if (growing) this.#finish(growing);
    if (row.frameBytes >= FOLD_BYTES) this.#growing[row.direction] = row;
    else this.#finish(row);
  }

  #finish(row: Row): void {
    this.#growing[row.direction] = undefined;
    this.#printed.add(row);
    this.#print(rowLine(row));
  }
}

function transferLine(verb: string, transfer: Transfer): string {
  const result = transfer.equal ? 'equal at both ends' : `DIFFERENT: here ${transfer.here.sha256}`;
  return `  ${verb} ${transfer.name}, ${String(transfer.here.bytes)} B, SHA-256 ${transfer.there.sha256}, ${result}`;
}

async function showFacts(client: DemoClient, print: (line: string) => void): Promise<void> {
  const { transcriptHash } = await factsOf(client.socket);
  for (const line of factLines(client.socket.pq, transcriptHash)) print(line);
}

/** Carries out a typed line. Throws for what cannot be done. */
async function obey(line: string, client: DemoClient, print: (line: string) => void): Promise<void> {
  const [, command = '', rest = ''] = /^\/(\S+)\s*(.*)$/.exec(line) ?? [];
  switch (command) {
    case '':
      client.say({ type: 'chat', from: NAME, text: line });
      break;
    case 'file':
      print(transferLine('sent', await client.upload(await fileSource(rest))));
      break;
    case 'sample':
      print(transferLine('received', await client.download()));
      break;
    case 'close': {
      const [, code = '1000', reason = ''] = /^(\d+)\s*(.*)$/.exec(rest) ?? [];
      client.close(Number(code), reason);
      break;
    }
    case 'facts':
      await showFacts(client, print);
      break;
    default:
      for (const help of HELP) print(help);
  }
}

function heardLine(message: Message, me: string): string | undefined {
  if (message.type === 'chat' && message.from !== me) return `${message.from}: ${message.text}`;
  return message.type === 'presence' ? message.note : undefined;
}

export async function startTerminal(target: { host: string; port: number }): Promise<Terminal> {
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: '> ', terminal: true });
  let tapped: Tapped | undefined;
  let me = NAME;
  let isOver = false;
  const print = (line: string): void => {
    // Who has ended it wants to see no more of it, and a closed prompt cannot be shown again.
    if (isOver) return;
    // Clears the prompt, prints above it, and puts back what was being typed.
    process.stdout.write(`\r\x1b[K${line.replace(/\p{Cc}/gu, ' ')}\n`);
    lines.prompt(true);
  };
  const printer = new Printer(print);

  const ended = new Promise<void>((resolve) => {
    // Ctrl+C, Ctrl+D, the end of the input, or the end of the conversation.
    lines.on('close', () => {
      isOver = true;
      resolve();
    });
    lines.on('SIGINT', () => lines.close());
    // A terminal that is gone cannot be given its old mode back (EIO); 'close' comes all the same.
    lines.on('error', () => undefined);
    void connectTapped({
      target,
      changed: (row) => printer.show(row),
      events: {
        message: (message) => {
          if (message.type === 'welcome') me = message.name;
          const line = heardLine(message, me);
          if (line !== undefined) print(line);
        },
        closed: ({ code, reason, wasClean }) => {
          print(`closed: ${String(code)} “${reason}”, ${wasClean ? 'clean' : 'not clean'}`);
          lines.close();
        },
      },
    })
      .then(async (connected) => {
        tapped = connected;
        if (isOver) {
          await connected.tap.close();
          return;
        }
        await connected.opened;
        connected.client.say({ type: 'join', name: NAME });
        await showFacts(connected.client, print);
        for (const line of [...HELP, '', ...TABLE_HEAD]) print(line);
      })
      .catch((error: unknown) => {
        print(error instanceof Error ? error.message : String(error));
        lines.close();
      });
  });

  lines.on('line', (line) => {
    const client = tapped?.client;
    if (line.trim() !== '' && client) {
      obey(line.trim(), client, print).catch((error: unknown) => {
        print(error instanceof Error ? error.message : String(error));
      });
    }
    if (!isOver) lines.prompt();
  });

  return {
    ended,
    async stop() {
      lines.close();
      await tapped?.tap.close();
    },
  };
}
