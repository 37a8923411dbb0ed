/** The commands of the prompt. */
import { readFile } from 'node:fs/promises';
import type { Dialogue } from './dialogue.ts';
import { InputError, parseMessage } from './formats.ts';
import type { Format } from './formats.ts';
import type { View } from './views.ts';

type Run = (rest: string, dialogue: Dialogue, view: View) => Promise<void> | void;

interface SlashCommand {
  readonly usage: string;
  readonly help: string;
  readonly run: Run;
}

const sendAs =
  (format: Format): Run =>
  (rest, dialogue) =>
    dialogue.send(parseMessage(Buffer.from(rest), format));

const TABLE: Readonly<Record<string, SlashCommand>> = {
  '/hex': { usage: '/hex 00 ff…', help: 'send bytes', run: sendAs('hex') },
  '/base64': { usage: '/base64 AP8=', help: 'send bytes', run: sendAs('base64') },
  '/file': { usage: '/file PATH', help: 'send a file as one binary message', run: sendFile },
  '/ping': {
    usage: '/ping',
    help: 'ping, and say when the pong comes',
    run: (_rest, dialogue) => {
      dialogue.ping();
    },
  },
  '/close': { usage: '/close [CODE [REASON]]', help: 'close; both are sealed', run: close },
  '/info': { usage: '/info', help: 'what is known of the connection', run: info },
  '/quit': {
    usage: '/quit',
    help: 'close with 1000',
    run: (_rest, dialogue) => {
      dialogue.finish();
    },
  },
};

export const COMMANDS: readonly string[] = ['/help', ...Object.keys(TABLE)];

export const COMMAND_HELP = [
  ...Object.values(TABLE).map(({ usage, help }) => `  ${usage.padEnd(24)}${help}`),
  `  ${'//text'.padEnd(24)}send a text that begins with a slash`,
].join('\n');

/** @throws {InputError} */
export async function runCommand(line: string, dialogue: Dialogue, view: View): Promise<void> {
  const [, name = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
  const command = Object.hasOwn(TABLE, name) ? TABLE[name] : undefined;
  if (command === undefined)
    throw new InputError('no such command; /help lists them, and //text sends a text that begins with a slash');
  await command.run(rest, dialogue, view);
}

async function sendFile(rest: string, dialogue: Dialogue): Promise<void> {
  let bytes: Buffer;
  try {
    bytes = await readFile(rest.trim());
  } catch (error) {
    throw new InputError(`the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  await dialogue.send({ binary: bytes });
}

async function close(rest: string, dialogue: Dialogue): Promise<void> {
  const [, code = '1000', reason = ''] = /^(\S*)\s*(.*)$/s.exec(rest.trim()) ?? [];
  await dialogue.act({ type: 'close', code: Number(code === '' ? '1000' : code), reason });
}

function info(_rest: string, { call }: Dialogue, view: View): void {
  const { pq, url } = call.socket;
  const { counters } = pq;
  const hash = pq.transcriptHash;
  view.note(
    [
      `  url          ${url}`,
      `  sealed       ${counters.recordsSealed} records, ${counters.bytesSealed} bytes`,
      `  opened       ${counters.recordsOpened} records, ${counters.bytesOpened} bytes`,
      `  ML-KEM       ${pq.nativeKem === true ? "the platform's own code" : '@noble/post-quantum'}`,
      `  transcript   ${hash === null ? 'none in this profile' : Buffer.from(hash).toString('hex')}`,
    ].join('\n'),
  );
}
