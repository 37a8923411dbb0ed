/**
 * What a process's memory holds of the secrets of connections that have ended: nothing. A child makes them, closes them and collects;
 * its memory is then read from outside, byte for byte, and every secret that it had is looked for.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nodeBinary } from '../../scripts/lib/toolchain.ts';
import { isLeftOutHere, notLinux } from '../support/left-out.ts';
import { searchMemory } from '../support/memory-reader.ts';
import type { Pattern } from '../support/memory-reader.ts';
import { times } from '../support/soak.ts';
import { MASK } from './memory-record.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIMIT_MS = 300_000;
type Backend = 'noble' | 'node';

/** The first of them is not looked for: it finds out what this Node has. The portable ones take their time. */
const CONNECTIONS: Readonly<Record<Backend, number>> = { node: 201, noble: times(201, 61) };
const FEW_CONNECTIONS = 21;

const SHARED_SECRET = 'shared secret';
const MESSAGE = 'message that a shared secret follows from';

const WHAT: Readonly<Record<string, string>> = {
  c: SHARED_SECRET,
  d: 'decapsulation key',
  e: SHARED_SECRET,
  g: 'seed of a decapsulation key',
  h: 'key or secret that was derived',
  i: 'secret that others were derived from',
  k: 'AES key',
  m: MESSAGE,
  s: 'secret that became a KeyObject',
  z: 'implicit rejection value of a decapsulation key',
};

/** @param wipes false: the sources' own overwriting is taken out */
function variant(backend: Backend, wipes: boolean): Plugin {
  return {
    name: 'secrets-in-memory',
    setup({ onResolve, onLoad }) {
      const watched = { path: path.join(import.meta.dirname, 'memory-noble.ts') };
      onResolve({ filter: /^@noble\/.*\/(aes|ml-kem)\.js$|^\.\/hkdf\.ts$/ }, ({ importer }) =>
        importer.includes('/src/crypto/noble/') ? watched : undefined,
      );
      if (backend === 'noble') {
        onLoad({ filter: /\/src\/crypto\/node\/choose\.ts$/ }, () => ({
          contents: `import { nobleBackend } from '../noble/backend.ts';
            export const chooseBackend = () => nobleBackend;
            export const nativeMask = () => undefined;`,
          loader: 'ts',
          resolveDir: path.join(ROOT, 'src/crypto/node'),
        }));
      }
      if (wipes) return;
      onLoad({ filter: /\/src\/(crypto|protocol)\/.*\.ts$/ }, async ({ path: file }) => ({
        contents: (await readFile(file, 'utf8')).replaceAll('.fill(0)', '.valueOf()'),
        loader: 'ts',
      }));
    },
  };
}

let scratch: string;
let child: ChildProcess | undefined;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-memory-'));
});
afterEach(() => {
  child?.kill('SIGKILL');
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const bundles = new Map<string, Promise<string>>();

/** Made once for all Nodes. */
function bundled(backend: Backend, wipes: boolean): Promise<string> {
  const outfile = path.join(scratch, `${backend}-${wipes}.mjs`);
  const made = bundles.get(outfile) ?? bundledTo(outfile, backend, wipes);
  bundles.set(outfile, made);
  return made;
}

async function bundledTo(outfile: string, backend: Backend, wipes: boolean): Promise<string> {
  const requires = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    entryPoints: [path.join(import.meta.dirname, 'memory-script.ts')],
    absWorkingDir: ROOT,
    outfile,
    bundle: true,
    platform: 'node',
    conditions: ['node'],
    format: 'esm',
    banner: { js: requires },
    target: 'node20',
    logLevel: 'silent',
    plugins: [variant(backend, wipes)],
  });
  return outfile;
}

/** What the child says there was: one letter for what, a length, the bytes under a mask. */
function unmasked(log: Buffer): Pattern[] {
  const patterns: Pattern[] = [];
  let secret: Uint8Array = new Uint8Array(0);
  for (let at = 0; at < log.length;) {
    const letter = String.fromCharCode(log[at] as number);
    const length = log.readUInt16BE(at + 1);
    const bytes = Uint8Array.from(log.subarray(at + 3, at + 3 + length), (byte) => byte ^ MASK);
    at += 3 + length;
    if (letter === 'i') secret = bytes;
    // The salt, which is public: RFC 5869's pseudorandom key follows from both, and is as good as the secret. RFC 2104 has it under two pads.
    if (letter === 'S') {
      const key = new Uint8Array(createHmac('sha256', bytes).update(secret).digest());
      patterns.push({ name: "HKDF's pseudorandom key", bytes: key });
      for (const pad of [0x36, 0x5c])
        patterns.push({
          name: `HKDF's pseudorandom key under 0x${pad.toString(16)}`,
          bytes: key.map((byte) => byte ^ pad),
        });
    } else for (const piece of pieces(bytes)) patterns.push({ name: WHAT[letter] ?? letter, bytes: piece });
  }
  return distinct(patterns);
}

/** Two secrets that were joined are looked for one by one. */
function pieces(bytes: Uint8Array): Uint8Array[] {
  return bytes.length === 64 ? [bytes.slice(0, 32), bytes.slice(32)] : [bytes];
}

/** A secret is met several times, and bears the name that it had first. */
function distinct(patterns: readonly Pattern[]): Pattern[] {
  const seen = new Map<string, Pattern>();
  for (const pattern of patterns) {
    const key = Buffer.from(pattern.bytes).toString('latin1');
    if (!seen.has(key)) seen.set(key, pattern);
  }
  return [...seen.values()];
}

/** What is found of the secrets of so many connections, after a look at how many there were. */
async function findings(
  major: number,
  backend: Backend,
  connections: number,
  wipes = true,
): Promise<Record<string, number>> {
  const started = spawn(nodeBinary(major), ['--expose-gc', await bundled(backend, wipes), String(connections)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child = started;
  let said = Buffer.alloc(0);
  for await (const part of started.stdout) {
    said = Buffer.concat([said, part as Buffer]);
    if (said.length >= 4 && said.length === 4 + said.readUInt32BE(0)) break;
  }
  const patterns = unmasked(said.subarray(4));
  // Each has two shared secrets, at both ends, and what follows from them.
  expect(patterns.filter(({ name }) => name === SHARED_SECRET).length).toBe(2 * (connections - 1));
  expect(patterns.length).toBeGreaterThan(15 * (connections - 1));
  const { found, bytes } = searchMemory(started.pid ?? 0, patterns);
  expect(bytes).toBeGreaterThan(30 * 2 ** 20);
  const counts: Record<string, number> = {};
  for (const { name } of found) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * @noble's ML-KEM-768 computes these two in arrays of its own, of 64 bytes or less, and V8 leaves a copy behind where such a one is moved (SECURITY.md, "Not
 * protected"). Nothing outside of it can overwrite that.
 */
const LEFT_BY_NOBLE = [SHARED_SECRET, MESSAGE];

const isWithout = isLeftOutHere("what a process's memory holds of ended connections", notLinux());

describe.skipIf(isWithout).each([
  [20, 'noble', LEFT_BY_NOBLE],
  // This Node has no ML-KEM of its own.
  [20, 'node', LEFT_BY_NOBLE],
  [24, 'noble', LEFT_BY_NOBLE],
  [24, 'node', []],
] as const)('Node %i, %s', (major, backend, allowed: readonly string[]) => {
  test(
    `of ${CONNECTIONS[backend] - 1} connections nothing is left${allowed.length === 0 ? '' : " but by @noble's ML-KEM"}`,
    { timeout: LIMIT_MS },
    async () => {
      const found = await findings(major, backend, CONNECTIONS[backend]);
      expect(Object.keys(found).filter((name) => !allowed.includes(name))).toEqual([]);
    },
  );

  test('without the overwriting there is', { timeout: LIMIT_MS }, async () => {
    const found = await findings(major, backend, FEW_CONNECTIONS, false);
    expect(Object.keys(found).filter((name) => !allowed.includes(name))).not.toEqual([]);
  });
});

test('SECURITY.md says what is left', async () => {
  const words = (await readFile(path.join(ROOT, 'SECURITY.md'), 'utf8')).replaceAll(/\s+/g, ' ');
  expect(words).toContain(
    "@noble's ML-KEM computes the shared secret in arrays of 64 bytes or less, which V8 keeps in its heap",
  );
});
