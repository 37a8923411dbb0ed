/** The implementations under test behind one interface. This file and those beside it import nothing of src/. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { run } from '../../scripts/lib/run.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const BUILT = path.join(ROOT, '.cache', 'interop');
export const BUILD_LIMIT_MS = 10 * 60_000;
const CLIENT_LIMIT_MS = 120_000;
const START_LIMIT_MS = 20_000;

export interface Verdict {
  readonly case: string;
  readonly ok: boolean;
  readonly detail?: string;
}

export interface Features {
  readonly server: readonly string[];
  readonly client: readonly string[];
}

export interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** One implementation, in one configuration, as test/interop/README.md describes it. */
export interface Peer {
  readonly name: string;
  /** The implementation: what all its configurations have in common. */
  readonly family: string;
  readonly features: Features;
  /** @param options of the command line */
  serve(options: readonly string[]): Promise<RunningServer>;
  /** @returns a verdict for each case that was run, in order */
  connect(url: string, options: readonly string[], only?: readonly string[]): Promise<Verdict[]>;
  /** The same client without a process of its own, where there is such: for the hundreds of connections that must fail. */
  readonly connectQuickly?: Peer['connect'];
  /** A browser's: what is wrong with the page of examples/page that a server has at this address, or undefined. */
  tryPage?(url: string): Promise<string | undefined>;
}

/** What is needed to make a peer, or the reason why it cannot be made here. */
export interface Recipe {
  readonly name: string;
  /** What has to be on PATH, if anything. */
  readonly tool: string | undefined;
  make(): Promise<readonly Peer[]>;
}

/** A command that speaks the contract. */
class ProcessPeer implements Peer {
  connectQuickly?: Peer['connect'];
  readonly name: string;
  readonly family: string;
  readonly features: Features;
  readonly #command: readonly string[];

  constructor(name: string, command: readonly string[]) {
    this.name = name;
    this.family = name.replace(/,.*/, '');
    this.#command = command;
    const [file, ...args] = command as [string, ...string[]];
    const { stdout, status } = spawnSync(file, [...args, 'features'], { encoding: 'utf8', timeout: START_LIMIT_MS });
    if (status !== 0) throw new Error(`${name}: the command 'features' failed`);
    this.features = JSON.parse(stdout) as Features;
  }

  async serve(options: readonly string[]): Promise<RunningServer> {
    const child = this.#spawn(['server', ...options]);
    const ended = end(child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    const late = setTimeout(() => child.kill('SIGKILL'), START_LIMIT_MS);
    const port = await new Promise<number>((resolve, reject) => {
      lines.on('line', (line) => {
        const digits = /^listening (\d+)$/.exec(line)?.[1];
        if (digits !== undefined) resolve(Number(digits));
      });
      void ended.then((how) => {
        reject(new Error(`${this.name}: the server ended before it listened: ${how}`));
      });
    });
    clearTimeout(late);
    return {
      port,
      stop: async () => {
        child.kill('SIGKILL');
        await ended;
      },
    };
  }

  async connect(url: string, options: readonly string[], only: readonly string[] = []): Promise<Verdict[]> {
    const child = this.#spawn(['client', url, ...options, ...only.flatMap((name) => ['--case', name])]);
    const late = setTimeout(() => child.kill('SIGKILL'), CLIENT_LIMIT_MS);
    const verdicts: Verdict[] = [];
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      verdicts.push(JSON.parse(line) as Verdict);
    });
    const how = await end(child);
    clearTimeout(late);
    const good = verdicts.length > 0 && verdicts.every(({ ok }) => ok);
    // The exit code is part of the contract: a script may look at nothing else.
    if (how !== (good ? 'exit code 0' : 'exit code 1')) {
      verdicts.push({ case: 'exit code', ok: false, detail: `the client ended with ${how}` });
    }
    return verdicts;
  }

  #spawn(args: readonly string[]): ChildProcess {
    const [file, ...before] = this.#command as [string, ...string[]];
    const child = spawn(file, [...before, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
    });
    createInterface({ input: child.stderr }).on('line', sayOnce);
    return child;
  }
}

const said = new Set<string>();

/** Each of a peer's many processes says the same of what it lacks. */
function sayOnce(line: string): void {
  if (said.has(line)) return;
  said.add(line);
  console.error(line);
}

function end(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  });
}

/** This package's sources as they stand, bundled, since Node runs only TypeScript whose types can be taken away. */
async function bundlePeer(name: string): Promise<string> {
  const outfile = path.join(BUILT, `${name}.mjs`);
  await build({
    entryPoints: [path.join(ROOT, 'test/interop/peer', `${name}.ts`)],
    absWorkingDir: ROOT,
    outfile,
    bundle: true,
    platform: 'node',
    conditions: ['node'],
    format: 'esm',
    packages: 'external',
    target: 'node20',
    logLevel: 'warning',
  });
  return outfile;
}

/** The TypeScript peer in this process, which a thousand hostile cases have use for. */
export async function inProcess(): Promise<Peer> {
  const { inProcessPeer } = (await import(await bundlePeer('in-process'))) as { inProcessPeer: Peer };
  return inProcessPeer;
}

const typescript: Recipe = {
  name: 'TypeScript',
  tool: undefined,
  make: async () => {
    const outfile = await bundlePeer('main');
    const backends = ['node', 'noble', 'webcrypto'];
    const [node, ...others] = backends.map(
      (backend) => new ProcessPeer(`TypeScript, ${backend}`, [process.execPath, outfile, '--backend', backend]),
    ) as [ProcessPeer, ...ProcessPeer[]];
    // This process has Node's backend too.
    node.connectQuickly = (await inProcess()).connect;
    return [node, ...others];
  },
};

const go: Recipe = {
  name: 'Go',
  tool: 'go',
  make: async () => {
    const binary = path.join(BUILT, 'pqws-peer');
    await run('go', ['build', '-o', binary, './cmd/pqws-peer'], {
      cwd: path.join(ROOT, 'examples/go'),
      timeout: BUILD_LIMIT_MS,
    });
    return [new ProcessPeer('Go', [binary])];
  },
};

const rust: Recipe = {
  name: 'Rust',
  tool: 'cargo',
  make: async () => {
    const folder = path.join(ROOT, 'examples/rust-axum');
    const target = process.env['CARGO_TARGET_DIR'] ?? path.join(folder, 'target');
    // The profile of its tests, so that what both need is compiled once.
    await run('cargo', ['build', '--quiet', '--locked', '--bin', 'peer'], { cwd: folder, timeout: BUILD_LIMIT_MS });
    return [new ProcessPeer('Rust', [path.join(target, 'debug', 'peer')])];
  },
};

/** Whether it is on PATH here. */
export function hasTool(tool: string): boolean {
  return spawnSync(tool, ['version']).error === undefined;
}

export const PROCESS_RECIPES: readonly Recipe[] = [typescript, go, rust];

export function prepareFolder(): void {
  mkdirSync(BUILT, { recursive: true });
}
