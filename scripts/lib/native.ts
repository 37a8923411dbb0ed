/** What cargo does for packages/native: build its code for this platform, test it, and look for memory errors. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';
import { isCi } from './ci.ts';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const CRATE = path.join(ROOT, 'packages', 'native');
/** AWS-LC takes a minute of processor time when this is empty, the FIPS module several. */
const TARGET = process.env['CARGO_TARGET_DIR'] ?? path.join(ROOT, '.cache', 'native');
const TIMEOUT_MS = 30 * 60_000;

const USAGE = `usage: npm run build:native, or node scripts/run.ts scripts/lib/native.ts build|fips|test|asan|valgrind|ci
build  compiles the code for this platform and puts it into packages/native
fips   the same with the FIPS module of AWS-LC (needs CMake, Go and Clang or GCC)
test   the crate's formatter, linter and tests
asan   the crate's tests with AddressSanitizer, in AWS-LC too (needs a nightly toolchain)
valgrind  all of its functions, called in Node under valgrind (on Linux)
ci     test and build where there is cargo, and valgrind where there is that; without cargo nothing, an error where CI is set`;

/** As the loader in packages/native/index.cjs names it; the file has the C library in its name that it was linked with. */
export function platformName(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform === 'win32') return `${name}-msvc`;
  if (process.platform !== 'linux') return name;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `${name}-${header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

/** Where `npm run build:native` puts the code. */
export function nativeFile(): string {
  return path.join(CRATE, `pq-websocket-native.${platformName()}.node`);
}

function library(): string {
  if (process.platform === 'win32') return 'pq_websocket_native.dll';
  return `libpq_websocket_native.${process.platform === 'darwin' ? 'dylib' : 'so'}`;
}

/** No path of this machine in what is built, so that everybody builds the same bytes. */
function pathless(): Record<string, string> {
  const cargoHome = process.env['CARGO_HOME'] ?? path.join(homedir(), '.cargo');
  const places = [
    [cargoHome, '/cargo'],
    [TARGET, '/target'],
    [ROOT, '/pq-websocket'],
  ];
  const flags = (option: string): string => places.map(([from, to]) => `${option}=${from}=${to}`).join(' ');
  // With musl, Rust links its C library in unless told not to, and makes no library for others to load.
  const dynamic = platformName().endsWith('musl') ? ' -C target-feature=-crt-static' : '';
  return process.platform === 'win32'
    ? { RUSTFLAGS: flags('--remap-path-prefix') }
    : { RUSTFLAGS: flags('--remap-path-prefix') + dynamic, CFLAGS: flags('-ffile-prefix-map') };
}

async function cargo(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
  await run('cargo', args, { cwd: CRATE, env: { CARGO_TARGET_DIR: TARGET, ...env }, timeout: TIMEOUT_MS });
}

async function build(features: readonly string[]): Promise<void> {
  await cargo(['build', '--release', '--locked', ...features], pathless());
  const file = nativeFile();
  // A process that has the old one loaded keeps it: the new one is another file.
  rmSync(file, { force: true });
  copyFileSync(path.join(TARGET, 'release', library()), file);
  const hash = createHash('sha256').update(readFileSync(file)).digest('hex');
  console.log(`${path.relative(ROOT, file)} sha256 ${hash}`);
}

/** In the profile of the build and with its flags: AWS-LC is compiled once for all. */
async function test(): Promise<void> {
  await cargo(['fmt', '--check']);
  await cargo(['clippy', '--release', '--locked', '--all-targets', '--', '--deny', 'warnings'], pathless());
  await cargo(['test', '--release', '--locked', '--lib'], pathless());
}

async function asan(): Promise<void> {
  const target = `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-unknown-linux-gnu`;
  await cargo(['+nightly', 'test', '--locked', '--lib', '--target', target, '--features', 'asan'], {
    RUSTFLAGS: '-Zsanitizer=address',
    CARGO_TARGET_DIR: path.join(TARGET, 'asan'),
  });
}

/** What it reports of V8's own code is nothing: without its compilers, V8 behaves. */
async function valgrind(): Promise<void> {
  const options = ['--quiet', '--error-exitcode=1', '--smc-check=all-non-file'];
  const script = path.join(import.meta.dirname, 'native-exercise.mjs');
  await run('valgrind', [...options, process.execPath, '--jitless', script], {
    cwd: ROOT,
    env: {},
    timeout: TIMEOUT_MS,
  });
}

function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { cwd: CRATE }).status === 0;
}

async function ci(): Promise<void> {
  if (!isInstalled('cargo')) {
    const message = 'there is no cargo: packages/native is not built, and its tests are left out';
    if (isCi()) throw new Error(message);
    console.log(message);
    return;
  }
  await test();
  await build([]);
  if (isInstalled('valgrind')) await valgrind();
}

const TASKS: Readonly<Record<string, () => Promise<void>>> = {
  build: () => build([]),
  fips: () => build(['--no-default-features', '--features', 'fips']),
  test,
  asan,
  valgrind,
  ci,
};

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  const task = args.length === 1 ? TASKS[args[0] as string] : undefined;
  if (task === undefined) {
    console.error(USAGE);
    return 2;
  }
  try {
    await task();
    return 0;
  } catch (error) {
    console.error((error as Error).message);
    return 1;
  }
}
