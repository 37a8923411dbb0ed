/**
 * docs/tutorial.md, command by command, in an empty folder: its files are written, its commands are run, and what it shows is what they say.
 * The packed tarballs stand in the place of the published packages.
 *
 * A block whose first line is `// file: NAME` is a file. `sh` is run; `sh server` is started and runs until the next such block. `text` is
 * in what the block before it said.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { pack } from '../support/packed.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGE = path.join(ROOT, 'docs/tutorial.md');
const LIMIT_MS = 3 * 60_000;
/** As the page writes it. */
const PORT = '8080';
const INSTALL = 'npm install pq-websocket pq-websocket-cli';
const QUIET = '--ignore-scripts --no-audit --no-fund --prefer-offline --loglevel error';
const execute = promisify(execFile);

interface Block {
  readonly kind: string;
  readonly text: string;
}

function blocksOf(page: string): Block[] {
  return [...page.matchAll(/^```(\w+(?: server)?)\n([^]*?)^```$/gm)].map(([, kind = '', text = '']) => ({
    kind,
    text,
  }));
}

class Reader {
  readonly #tarballs: readonly string[];
  readonly #port: string;
  #folder: string;
  #server: ChildProcess | undefined;
  #said = '';
  ran = 0;
  compared = 0;

  constructor(folder: string, tarballs: readonly string[], port: string) {
    this.#folder = folder;
    this.#tarballs = tarballs;
    this.#port = port;
  }

  async follow({ kind, text }: Block): Promise<void> {
    const own = text.replaceAll(PORT, this.#port);
    const file = /^\/\/ file: (\S+)\n/.exec(own)?.[1];
    if (file !== undefined) await writeFile(path.join(this.#folder, file), own);
    else if (kind === 'sh server') await this.#start(own.trim());
    else if (kind === 'sh') await this.#run(own);
    else if (kind === 'text') this.#compare(own.trim());
    else throw new Error(`the page has a block of ${kind} that nobody follows`);
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined || server.exitCode !== null) return;
    const exited = once(server, 'exit');
    server.kill();
    await exited;
  }

  async #run(commands: string): Promise<void> {
    this.#said = '';
    for (const command of commands.trim().split('\n')) {
      this.ran += 1;
      const folder = /^cd (\S+)$/.exec(command)?.[1];
      if (folder !== undefined) {
        this.#folder = path.join(this.#folder, folder);
        continue;
      }
      const real = command === INSTALL ? `npm install ${QUIET} ${this.#tarballs.join(' ')}` : command;
      console.log(`$ ${command}`);
      const { stdout, stderr } = await execute('bash', ['-c', real], { cwd: this.#folder, timeout: LIMIT_MS });
      this.#said += stdout + stderr;
    }
  }

  async #start(command: string): Promise<void> {
    await this.stop();
    this.ran += 1;
    console.log(`$ ${command}   # in a terminal of its own`);
    // Not by a shell, which would be what is ended.
    const [program = '', ...args] = command.split(' ');
    const server = spawn(program, args, { cwd: this.#folder, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#server = server;
    for await (const line of createInterface({ input: server.stdout })) if (line === 'listening') return;
    throw new Error('the server of the tutorial ended before it listened');
  }

  #compare(wanted: string): void {
    for (const line of wanted.split('\n')) {
      this.compared += 1;
      if (!this.#said.includes(line)) throw new Error(`the page shows\n${line}\nand the commands said\n${this.#said}`);
    }
  }
}

export async function main(): Promise<number> {
  const blocks = blocksOf(await readFile(PAGE, 'utf8'));
  const [root, cli] = [await pack(), await pack('packages/cli')];
  const folder = await mkdtemp(path.join(tmpdir(), 'pq-websocket-tutorial-'));
  const reader = new Reader(folder, [root.tarball, cli.tarball], String(await freePort()));
  const began = performance.now();
  try {
    for (const block of blocks) await reader.follow(block);
  } finally {
    await reader.stop();
    await Promise.all([root.remove(), cli.remove(), rm(folder, { recursive: true, force: true })]);
  }
  const seconds = (performance.now() - began) / 1000;
  console.log(`${reader.ran} commands, ${reader.compared} lines as the page shows them, in ${seconds.toFixed(0)} s`);
  return reader.ran > 10 && reader.compared > 4 ? 0 : 1;
}
