/** `pq-websocket doctor`: what stands between a client and a server, and what to do about it. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ClientFlags } from './client-flags.ts';
import { addClientFlags, targetOf } from './client-flags.ts';
import type { Finding, Level } from './doctor/findings.ts';
import { EXIT } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { paintFor, visible, visibleLine } from './terminal.ts';
import type { Paint, Style } from './terminal.ts';

interface DoctorFlags extends ClientFlags {
  readonly json?: true;
  readonly echo?: true;
}

const MAX_PATIENCE = 5_000;
const MARKS: Readonly<Record<Level, { mark: string; style: Style }>> = {
  good: { mark: 'ok', style: 'green' },
  info: { mark: 'info', style: 'cyan' },
  warning: { mark: 'warn', style: 'yellow' },
  bad: { mark: 'BAD', style: 'red' },
};

const EXAMPLES = `
Examples:
  $ pq-websocket doctor wss://example.com/chat
  $ pq-websocket doctor wss://example.com/chat --pin sha256:0c5f… --json | jq '.findings[] | select(.level != "good")'
  $ pq-websocket doctor localhost:8080 --echo

It makes about five connections and sends no message, but with --echo. The exit code is 0 unless something is bad, and then
that of \`connect\` for it: 3 unreachable, 4 TLS, 5 upgrade, 6 handshake or profile, 7 the server's proof, 8 cut or altered.`;

export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('look at what stands between here and a secure WebSocket server')
    .argument('<url>', 'wss://host[:port]/path; without a scheme wss:, or ws: on this machine');
  addClientFlags(command);
  command
    .addOption(new Option('--echo', 'send messages of 1 byte to 1 MiB, and expect them back; for servers that echo'))
    .addOption(new Option('-j, --json', 'one JSON object'))
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: DoctorFlags) => {
      const exitCode = await run(address, flags);
      process.exitCode ??= exitCode;
    });
}

async function run(address: string, flags: DoctorFlags): Promise<ExitCode> {
  const target = await targetOf(address, flags);
  const { examine } = await import('./doctor/examine.ts');
  const findings = await examine(target, {
    profile: flags.profile ?? 'v1',
    echo: flags.echo === true,
    patience: Math.min(MAX_PATIENCE, flags.handshakeTimeout),
    isInsecure: flags.insecureTls === true,
  });
  const exitCode = findings.find(({ level }) => level === 'bad')?.exitCode ?? EXIT.OK;
  const { stdout } = process;
  if (flags.json === true) stdout.write(`${visible(JSON.stringify({ url: target.url, exitCode, findings }))}\n`);
  else stdout.write(findings.map((finding) => describe(finding, paintFor(stdout))).join(''));
  return exitCode;
}

function describe({ name, level, seen, meaning, advice }: Finding, paint: Paint): string {
  const { mark, style } = MARKS[level];
  const lines = [
    `${paint(style, mark.padEnd(5))}${paint('bold', name.padEnd(14))}${visibleLine(seen)}`,
    `${' '.repeat(19)}${paint('dim', meaning)}`,
  ];
  if (advice !== undefined) lines.push(`${' '.repeat(19)}-> ${advice}`);
  return `${lines.join('\n')}\n`;
}
