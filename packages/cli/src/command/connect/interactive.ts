/** The dialogue of a person: a prompt with history and slash commands; what arrives is written above it. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Call } from '../dial.ts';
import type { Ending } from '../ending.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Paint } from '../terminal.ts';
import { paintFor, visible } from '../terminal.ts';
import type { Dialogue } from './dialogue.ts';
import type { Format } from './formats.ts';
import { formatBytes, InputError, parseMessage } from './formats.ts';
import { COMMAND_HELP, COMMANDS, runCommand } from './slash.ts';
import type { Streams, View } from './views.ts';
import { describeCall } from './views.ts';

const HISTORY_LINES = 1_000;
const HISTORY_MODE = 0o600;
/** Characters of one message on the screen. */
const SHOWN = 8_192;

export interface TerminalSettings {
  readonly format: Format;
  readonly verbose: boolean;
  readonly proof: string;
}

/** Everything of a dialogue on one terminal. */
export class TerminalView implements View {
  readonly #paint: Paint;
  #prompt: Interface | undefined;

  constructor(
    private readonly streams: Streams,
    private readonly settings: TerminalSettings,
  ) {
    this.#paint = paintFor(streams.output);
  }

  /** From now on what is written goes above this prompt. */
  set prompt(prompt: Interface | undefined) {
    this.#prompt = prompt;
  }

  opened(call: Call): void {
    this.note(this.#paint('green', `connected: ${describeCall(call, this.settings.proof)}`));
    this.note(this.#paint('dim', 'Enter sends a line as a message. /help lists commands, Ctrl-D closes.'));
  }

  message(data: Buffer, isBinary: boolean): boolean {
    const text = formatBytes(data, isBinary, this.settings.format);
    const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)} [${text.length - SHOWN} more characters]` : text;
    const kind = isBinary ? `[${data.length} bytes] ` : '';
    return this.#above(this.#paint('cyan', `< ${kind}${indented(visible(shown))}`));
  }

  ping(): void {
    if (this.settings.verbose) this.note(this.#paint('dim', 'ping'));
  }

  pong(milliseconds: number): void {
    this.note(this.#paint('dim', `pong after ${milliseconds.toFixed(1)} ms`));
  }

  note(text: string): void {
    this.#above(text);
  }

  ended({ exitCode, message, hint }: Ending): void {
    this.note(this.#paint(exitCode === EXIT.OK ? 'dim' : 'red', message));
    if (hint !== undefined) this.note(`  ${hint}`);
  }

  /** Takes the prompt away for good: what is written next stands where it stood. */
  takePrompt(): void {
    if (this.#prompt !== undefined) this.#clear(this.#prompt);
    this.#prompt = undefined;
  }

  /** Takes the prompt away, writes, and puts it back with what has been typed. */
  #above(text: string): boolean {
    const { output } = this.streams;
    const prompt = this.#prompt;
    if (prompt === undefined) return output.write(`${text}\n`);
    this.#clear(prompt);
    const hasRoom = output.write(`${text}\n`);
    prompt.prompt(true);
    return hasRoom;
  }

  #clear(prompt: Interface): void {
    const { output } = this.streams;
    moveCursor(output, 0, -prompt.getCursorPos().rows);
    cursorTo(output, 0);
    clearScreenDown(output);
  }
}

/** So that no line of a message looks like a prompt, or like another message. */
function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

/** @param historyFile kept with mode 0600; undefined: nothing that was typed outlives the process */
export async function interact(
  dialogue: Dialogue,
  view: TerminalView,
  input: Readable,
  streams: Streams,
  { format, historyFile }: { readonly format: Format; readonly historyFile: string | undefined },
): Promise<ExitCode> {
  dialogue.inputEnded();
  const { output } = streams;
  const prompt = createInterface({
    input,
    output,
    terminal: true,
    prompt: '> ',
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    history: historyFile === undefined ? [] : readHistory(historyFile),
    completer: (line: string): [string[], string] => [
      line.startsWith('/') ? COMMANDS.filter((name) => name.startsWith(line)) : [],
      line,
    ],
  });
  let history: readonly string[] | undefined;
  prompt.on('history', (lines: string[]) => {
    history = [...lines];
  });
  const interrupt = (): void => {
    dialogue.interrupt(EXIT.INTERRUPTED);
  };
  prompt.on('SIGINT', interrupt);
  // A terminal that is gone cannot be given its old mode back (EIO); 'close' comes all the same.
  prompt.on('error', () => undefined);
  prompt.once('close', () => {
    view.prompt = undefined;
    if (dialogue.isOpen) dialogue.finish();
  });
  // Lines that are typed while it connects are sent when it has.
  const early: string[] = [];
  prompt.on('line', (line) => early.push(line));
  await dialogue.call.opened;
  prompt.removeAllListeners('line');
  const take = (line: string): void => {
    void handle(line, dialogue, view, format).finally(() => {
      if (dialogue.isOpen) prompt.prompt();
    });
  };
  prompt.on('line', take);
  if (dialogue.isOpen) {
    prompt.prompt();
    view.prompt = prompt;
  }
  for (const line of early) take(line);
  void dialogue.call.ended.then(() => {
    view.takePrompt();
    if (prompt.line !== '') view.note(`not sent: ${visible(prompt.line)}`);
    prompt.close();
  });
  const exitCode = await dialogue.over;
  if (historyFile !== undefined && history !== undefined) writeHistory(historyFile, history);
  return exitCode;
}

async function handle(line: string, dialogue: Dialogue, view: TerminalView, format: Format): Promise<void> {
  if (line === '') return;
  try {
    if (line.startsWith('//')) await dialogue.send({ text: line.slice(1) });
    else if (line === '/help') view.note(COMMAND_HELP);
    else if (line.startsWith('/')) await runCommand(line, dialogue, view);
    else await dialogue.send(parseMessage(Buffer.from(line), format));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    view.note(error.message);
  }
}

/** The newest first, as readline has it. */
function readHistory(file: string): string[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .reverse();
}

function writeHistory(file: string, newestFirst: readonly string[]): void {
  writeFileSync(file, `${[...newestFirst].reverse().join('\n')}\n`, { mode: HISTORY_MODE });
  // The mode above counts for a new file only.
  chmodSync(file, HISTORY_MODE);
}
