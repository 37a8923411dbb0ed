/** `pq-websocket decode`: what a captured connection said, with the keys that one of its ends has logged. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ConversationListener, Said } from '../decode/conversation.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { onOutputError } from './output.ts';
import { paintFor, visible, visibleLine } from './terminal.ts';

interface DecodeFlags {
  readonly keylog: string;
  readonly context?: string;
  readonly control?: true;
  readonly json?: true;
}

const EXAMPLES = `
Examples:
  $ PQ_WEBSOCKET_KEYLOG=keys.log node server.js
  $ tcpdump -i lo -s 0 -w capture.pcap port 8080
  $ pq-websocket decode capture.pcap --keylog keys.log
  $ pq-websocket decode capture.pcap --keylog keys.log --json | jq 'select(.type == "text").text'

It reads pcap and pcapng, of connections in the clear (ws:) in profile v1. What it cannot show it says on stderr. The exit code is 0
where all was shown, 10 where a connection was not shown to its end, and 1 where there is nothing to show.`;

export function addDecodeCommand(program: Command): void {
  program
    .command('decode')
    .description('print what a captured connection said, with the keys that one of its ends has logged')
    .argument('<capture>', 'a file of tcpdump, tshark or Wireshark')
    .requiredOption('-k, --keylog <file>', 'what the option keyLog, or PQ_WEBSOCKET_KEYLOG, has written')
    .addOption(new Option('--context <text>', 'the context that both ends bind in; only needed to find keys sooner'))
    .addOption(new Option('--control', 'also what the secure layer says for itself'))
    .addOption(new Option('-j, --json', 'one JSON object a line; binary messages in hex'))
    .addHelpText('after', EXAMPLES)
    .action(async (capture: string, flags: DecodeFlags) => {
      const exitCode = await run(capture, flags);
      process.exitCode ??= exitCode;
    });
}

async function run(file: string, flags: DecodeFlags): Promise<ExitCode> {
  const [capture, keys] = await Promise.all([contents(file), contents(flags.keylog)]);
  const [{ CaptureError }, { decode }] = await Promise.all([
    import('../decode/pcap.ts'),
    import('../decode/decode.ts'),
  ]);
  const { stdout, stderr } = process;
  onOutputError({
    enough: () => undefined,
    failed: (why) => {
      stderr.write(`${why}\n`);
    },
  });
  const print = flags.json === true ? jsonPrinter() : textPrinter();
  try {
    const context = flags.context === undefined ? undefined : Buffer.from(flags.context, 'utf8');
    const { connections, problems } = decode(capture, keys.toString('utf8'), {
      context,
      connection: (number, ends) => {
        const printer = print(number);
        printer.begin(ends);
        return {
          said: (each) => {
            if (each.type !== 'control' || flags.control === true) printer.said(each);
          },
          problem: (why) => {
            printer.problem(why);
          },
        };
      },
    });
    for (const problem of problems.general) stderr.write(`${visibleLine(problem)}\n`);
    if (connections === 0) {
      stderr.write('no WebSocket connection was found in the capture\n');
      return EXIT.FAILED;
    }
    return problems.general.length + problems.ofConnections > 0 ? EXIT.INCOMPLETE : EXIT.OK;
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    stderr.write(`${visibleLine(file)}: ${error.message}\n`);
    return EXIT.FAILED;
  }

  function jsonPrinter(): Print {
    return (connection) => ({
      begin: (ends) => {
        stdout.write(`${visible(JSON.stringify({ type: 'connection', connection, ...ends }))}\n`);
      },
      said: ({ at, ...said }) => {
        const { bytes, ...rest } = said as typeof said & { bytes?: Buffer };
        const line = {
          connection,
          time: new Date(at).toISOString(),
          ...rest,
          ...(bytes && { hex: bytes.toString('hex') }),
        };
        stdout.write(`${visible(JSON.stringify(line))}\n`);
      },
      problem: (why) => {
        stdout.write(`${visible(JSON.stringify({ type: 'problem', connection, why }))}\n`);
        stderr.write(`connection ${connection}: ${visibleLine(why)}\n`);
      },
    });
  }

  function textPrinter(): Print {
    const paint = paintFor(stdout);
    return (connection) => ({
      begin: ({ client, server, url }) => {
        stdout.write(`${paint('bold', `connection ${connection}`)}  ${client} > ${server}  ${visibleLine(url)}\n`);
      },
      said: (said) => {
        const arrow = said.side === 'client' ? paint('cyan', '>') : paint('green', '<');
        const time = new Date(said.at).toISOString().slice(-13, -1);
        stdout.write(`${connection}  ${paint('dim', time)}  ${arrow} ${said.type.padEnd(7)} ${textOf(said)}\n`);
      },
      problem: (why) => {
        stderr.write(`connection ${connection}: ${visibleLine(why)}\n`);
      },
    });
  }
}

/** Of one connection. */
type Print = (connection: number) => ConversationListener & {
  begin(ends: { readonly client: string; readonly server: string; readonly url: string }): void;
};

function textOf(said: Said): string {
  switch (said.type) {
    case 'text':
      return visibleLine(said.text);
    case 'binary':
      return said.bytes.toString('hex');
    case 'close':
      return `${said.isAnswer ? 'answered ' : ''}${said.code ?? 'without a code'} ${visibleLine(said.reason)}`.trimEnd();
    case 'control':
      return `${said.name} ${said.bytes.length} bytes, record ${said.record}`;
  }
}

async function contents(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new UsageError(`${file}: ${(error as NodeJS.ErrnoException).code ?? 'cannot be read'}`);
  }
}
