/** `pq-websocket connect`: flags, and which kind of dialogue they ask for. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { ClientFlags } from './client-flags.ts';
import { addClientFlags, integer, repeatable, targetOf } from './client-flags.ts';
import { FORMATS } from './connect/formats.ts';
import type { Dialogue } from './connect/dialogue.ts';
import type { Action, Format } from './connect/formats.ts';
import { EXIT, EXIT_MEANINGS, UsageError } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { onOutputError } from './output.ts';

interface ConnectFlags extends ClientFlags {
  readonly fastOpen?: true;
  readonly padding?: number | 'padme';
  readonly maxMessage?: number;
  readonly message?: readonly string[];
  readonly input: Format | false;
  readonly whole?: true;
  readonly chunk: number;
  readonly output: Format;
  readonly json?: true;
  readonly wait?: number;
  readonly count?: number;
  readonly ping: number;
  readonly history?: string;
  readonly showWire?: true;
  readonly quiet?: true;
  readonly verbose?: true;
}

const MAX_SECONDS = 2_000_000;
/** Seconds without a message after which a script's dialogue is over; longer where it says how many it expects. */
const DEFAULT_WAIT = 1;
/** For the first reply. */
const FIRST_WAIT = 10;
const COUNTED_WAIT = 30;

function seconds(text: string): number {
  if (text === 'forever') return Infinity;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= MAX_SECONDS) return value;
  throw new InvalidArgumentError(`Expected seconds, at most ${MAX_SECONDS}, or forever.`);
}

function padding(text: string): number | 'padme' {
  return text === 'padme' ? text : integer(1, 65_536)(text);
}

const EXAMPLES = `
Examples:
  $ pq-websocket connect wss://example.com/chat
  $ pq-websocket connect wss://example.com/chat --pin sha256:0c5f… -s chat.v2 -H 'Authorization: Bearer …'
  $ echo hi | pq-websocket connect ws://localhost:8080 --count 1
  $ pq-websocket connect localhost:8080 --input raw < photo.jpg
  $ pq-websocket connect localhost:8080 --no-input --output raw > received.bin
  $ pq-websocket connect localhost:8080 --json -m '{"text":"hi"}' --count 1 | jq .text
  $ pq-websocket connect wss://example.com --profile yellowpages --attestation nitro --pcr 0=…
  $ pq-websocket connect localhost:8080 --show-wire

A terminal gets a prompt; anything else is a script's input, a message each line. Once that has ended, replies are awaited
until none comes for --wait seconds. docs/cli.md has everything.

Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`)
  .join('\n')}`;

export function addConnectCommand(program: Command): void {
  const command = program
    .command('connect')
    .description('talk to a secure WebSocket server, by hand or from a script')
    .argument('<url>', 'wss://host[:port]/path; without a scheme wss:, or ws: on this machine');
  addClientFlags(command);
  command
    .optionsGroup('Secure layer:')
    .addOption(new Option('--fast-open', 'send the hello with the upgrade request; for servers known to support it'))
    .addOption(
      new Option(
        '--padding <bytes|padme>',
        'pad sealed records to a multiple of this many bytes, or by PADME',
      ).argParser(padding),
    )
    .addOption(
      new Option('--max-message <bytes>', 'of a received message (default: 104857600)').argParser(integer(1, 2 ** 30)),
    )
    .optionsGroup('Messages:')
    .addOption(repeatable('-m, --message <text>', 'send this, and read no input; may be repeated'))
    .addOption(
      new Option(
        '-i, --input <format>',
        'how input is read: a text, hex or base64 message each line, or raw bytes as they come',
      )
        .choices(FORMATS)
        .default('text'),
    )
    .addOption(new Option('--no-input', 'send nothing, and wait until the peer closes'))
    .addOption(new Option('--whole', 'all of the input is one message'))
    .addOption(
      new Option('--chunk <bytes>', 'of one message of raw input').argParser(integer(1, 2 ** 30)).default(65_536),
    )
    .addOption(
      new Option(
        '-o, --output <format>',
        'how messages are written: text (binary ones in hex) or hex or base64, each on a line, or raw bytes',
      )
        .choices(FORMATS)
        .default('text'),
    )
    .addOption(new Option('-j, --json', 'one JSON object a line, each way'))
    .addOption(
      new Option(
        '-w, --wait <seconds>',
        `once the server has all input, close when no reply has come for this long, or forever (default: ${FIRST_WAIT} for the first, then ${DEFAULT_WAIT}; with --count ${COUNTED_WAIT})`,
      ).argParser(seconds),
    )
    .addOption(
      new Option('-n, --count <n>', 'close when this many messages have come').argParser(
        integer(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addOption(new Option('--ping <seconds>', 'ping this often').argParser(seconds).default(0, 'never'))
    .optionsGroup('Display:')
    .addOption(
      new Option('--history <file>', "keep the prompt's history in a file (mode 0600)").env('PQ_WEBSOCKET_HISTORY'),
    )
    .addOption(new Option('--show-wire', 'write every frame of the wire, sealed as it is, to standard error'))
    .addOption(new Option('-q, --quiet', 'on standard error only what went wrong'))
    .addOption(new Option('-v, --verbose', "show the peer's pings"))
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: ConnectFlags) => {
      const exitCode = await run(address, flags);
      process.exitCode ??= exitCode;
    });
}

async function run(address: string, flags: ConnectFlags): Promise<ExitCode> {
  check(flags);
  const target = await targetOf(address, flags);
  const [{ dial }, { Dialogue: Connected }, { JsonView, PlainView }, { describeFrame }] = await Promise.all([
    import('./dial.ts'),
    import('./connect/dialogue.ts'),
    import('./connect/views.ts'),
    import('./wire-tap.ts'),
  ]);
  const { stdin: input, stdout: output, stderr: errors } = process;
  const streams = { output, errors };
  const proof = proofOf(flags);
  const isInteractive =
    input.isTTY &&
    output.isTTY &&
    flags.json === undefined &&
    flags.input !== false &&
    flags.message === undefined &&
    flags.whole === undefined &&
    flags.input !== 'raw';
  const terminal = isInteractive ? await import('./connect/interactive.ts') : undefined;
  const settings = { format: flags.output, quiet: flags.quiet === true, verbose: flags.verbose === true, proof };
  const terminalView = terminal && new terminal.TerminalView(streams, settings);
  const view =
    terminalView ?? (flags.json === true ? new JsonView(streams, settings) : new PlainView(streams, settings));
  const call = dial(
    {
      ...target,
      options: {
        ...target.options,
        ...(flags.fastOpen === true && { fastOpen: true }),
        ...(flags.padding !== undefined && { padding: flags.padding }),
        ...(flags.maxMessage !== undefined && { maxPayload: flags.maxMessage }),
      },
    },
    flags.showWire === true
      ? (frame): void => {
          view.note(describeFrame(frame));
        }
      : undefined,
  );
  const dialogue = new Connected(call, view, output, { count: flags.count, pingEvery: flags.ping });
  process.on('SIGINT', () => {
    dialogue.interrupt(EXIT.INTERRUPTED);
  });
  process.on('SIGTERM', () => {
    dialogue.interrupt(EXIT.TERMINATED);
  });
  onOutputError({
    enough: () => {
      dialogue.finish();
    },
    failed: (why) => {
      dialogue.fail(why);
    },
  });
  if (terminal !== undefined && terminalView !== undefined) {
    // Not without a terminal: what `nohup` starts is to outlive it.
    process.on('SIGHUP', () => {
      dialogue.interrupt(EXIT.HUNG_UP);
    });
    const format = flags.input === false ? 'text' : flags.input;
    return terminal.interact(dialogue, terminalView, input, streams, { format, historyFile: flags.history });
  }
  return pipe(dialogue, flags);
}

async function pipe(dialogue: Dialogue, flags: ConnectFlags): Promise<ExitCode> {
  const [{ actionsOf }, { converse, endWith }] = await Promise.all([
    import('./connect/input.ts'),
    import('./connect/piped.ts'),
  ]);
  const quiet = flags.wait ?? (flags.count === undefined ? DEFAULT_WAIT : COUNTED_WAIT);
  const wait = { quiet, first: flags.wait ?? (flags.count === undefined ? FIRST_WAIT : COUNTED_WAIT) };
  if (flags.message !== undefined) return converse(dialogue, given(flags), wait);
  if (flags.input === false)
    return converse(dialogue, given(flags), { quiet: flags.wait ?? Infinity, first: Infinity });
  const input = process.stdin;
  endWith(dialogue, input);
  const { json = false, whole = false, chunk } = flags;
  return converse(dialogue, actionsOf(input, { format: flags.input, json, whole, chunk }), wait);
}

/** The messages of the command line. */
async function* given({ message = [], input, json }: ConnectFlags): AsyncGenerator<Action> {
  const { parseJsonAction, parseMessage } = await import('./connect/formats.ts');
  for (const text of message) {
    const bytes = Buffer.from(text);
    yield json === true
      ? parseJsonAction(bytes)
      : { type: 'message', message: parseMessage(bytes, input === false ? 'text' : input) };
  }
}

/** @throws {UsageError} for flags that do not go together */
function check({ json, whole, output, message, input }: ConnectFlags): void {
  if (json === true && (whole === true || output !== 'text' || (input !== 'text' && input !== false)))
    throw new UsageError('--json has its own format: leave out --whole, --input and --output');
  if (message !== undefined && (whole === true || input === false))
    throw new UsageError('--message is the input: leave out --whole and --no-input');
  if (output === 'raw' && process.stdout.isTTY)
    throw new UsageError('raw output would act on the terminal: send it to a file or a pipe');
}

function proofOf({ pin = [], attestation }: ConnectFlags): string {
  const proofs = [
    ...(pin.length > 0 ? ['by a pinned key'] : []),
    ...(attestation === 'nitro' ? ['by its attestation'] : []),
  ];
  return proofs.length > 0 ? `server authenticated ${proofs.join(' and ')}` : 'server not authenticated (no --pin)';
}
