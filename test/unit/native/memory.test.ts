/** What pq-websocket-native leaves in a process's memory of secrets that are gone: nothing. The memory is read from outside, byte for byte. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { afterEach, describe, expect, it } from 'vitest';
import { isLeftOutHere, notLinux } from '../../support/left-out.ts';
import { searchMemory } from '../../support/memory-reader.ts';
import { NATIVE_PACKAGE, nativeBinding } from '../../support/native.ts';

const binding = nativeBinding('what it leaves in memory');
const isWithout = binding === undefined || isLeftOutHere('what pq-websocket-native leaves in memory', notLinux());

const SECRETS = 10;
const secretByte = (secret: number, at: number): number => ((secret * 31 + at * 37 + 11) ^ (0x5a + at)) & 0xff;
/** The beginning of freed memory is written over anyway. */
const knownSecrets = Array.from({ length: SECRETS }, (_, secret) => ({
  name: `secret ${secret}`,
  bytes: Uint8Array.from({ length: 24 }, (_byte, at) => secretByte(secret, at + 8)),
}));

const SEED = new Uint8Array(64).fill(5);
const HYBRID_SEED = new Uint8Array(32).fill(5);
const RANDOMNESS = new Uint8Array(32).fill(6);
const HYBRID_RANDOMNESS = new Uint8Array(64).fill(6);

const SCRIPT = `
  const fs = require('node:fs');
  const { Worker } = require('node:worker_threads');
  const native = require(${JSON.stringify(NATIVE_PACKAGE)});
  const ready = () => fs.writeSync(1, 'ready\\n');
  const secretByte = ${secretByte.toString()};
  // Both in memory of their own, so that this script leaves no copies.
  const vaults = () => Array.from({ length: ${SECRETS} }, (_, secret) => {
    const bytes = new Uint8Array(new ArrayBuffer(2048)).subarray(1024, 1056);
    for (let at = 0; at < 32; at += 1) bytes[at] = secretByte(secret, at);
    const vault = native.createVault();
    const number = native.importSecret(vault, bytes);
    const key = native.importKey(vault, number);
    bytes.fill(0);
    return { vault, numbers: [number, key] };
  });`;

/** Ends in `Atomics.wait`, straight behind what it did, so that nothing else writes over its stack. Another thread tells what it sent. */
const blocked = (operation: string): string => `${SCRIPT}
  const shared = new SharedArrayBuffer(2048);
  const state = new Int32Array(new SharedArrayBuffer(8));
  const telling = 'const { workerData: { state, shared } } = require("node:worker_threads");' +
    'Atomics.store(state, 0, 1); Atomics.notify(state, 0); Atomics.wait(state, 1, 0);' +
    'require("node:fs").writeSync(1, Buffer.from(shared.slice(0)).toString("hex") + "\\\\n");';
  new Worker(telling, { eval: true, workerData: { state, shared } });
  const seed = (length) => new Uint8Array(length).fill(5);
  const randomness = (length) => new Uint8Array(length).fill(6);
  const [vault, key, ciphertext] = [native.createVault(), new Uint8Array(1216), new Uint8Array(1120)];
  const sent = new Uint8Array(shared);
  const operation = () => { ${operation} };
  Atomics.wait(state, 0, 0);
  sent.set(operation());
  Atomics.store(state, 1, 1);
  Atomics.notify(state, 1);
  Atomics.wait(state, 1, 1);`;

let child: ChildProcess | undefined;
afterEach(() => {
  child?.kill('SIGKILL');
});

/** @returns its number and the first line that it says */
async function started(script: string): Promise<{ pid: number; line: string }> {
  child = spawn(process.execPath, ['--expose-gc', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let line = '';
  while (!line.endsWith('\n')) line += String((await once(child.stdout!, 'data'))[0]);
  return { pid: child.pid!, line: line.trim() };
}

describe.skipIf(isWithout)('memory', () => {
  it.each([
    ['kept', SECRETS, 'globalThis.kept = vaults(); ready();'],
    [
      'destroyed',
      0,
      `globalThis.kept = vaults();
       for (const { vault, numbers } of kept) for (const number of numbers) native.destroy(vault, number);
       ready();`,
    ],
    ['collected with their vault', 0, '(() => vaults())(); gc(); setImmediate(() => { gc(); setImmediate(ready); });'],
    [
      'of a worker that has ended',
      0,
      `const work = ${JSON.stringify(`${SCRIPT} globalThis.kept = vaults();`)};
       new Worker(work, { eval: true }).once('exit', ready);`,
    ],
  ])('of secrets and keys that are %s: %i', async (_how, found, act) => {
    const { pid } = await started(`${SCRIPT} ${act} setInterval(() => undefined, 1000);`);
    expect(searchMemory(pid, knownSecrets).found.size).toBe(found);
  });

  const { publicKey, secretKey } = ml_kem768.keygen(SEED);
  const hybrid = ml_kem768_x25519.keygen(HYBRID_SEED);
  const given = ml_kem768.encapsulate(publicKey, RANDOMNESS).sharedSecret;
  const hybridSent = ml_kem768_x25519.encapsulate(hybrid.publicKey, HYBRID_RANDOMNESS);
  const MAKE = `native.generateKeyPair(vault, 'ml-kem-768', key.subarray(0, 1184), seed(64));`;
  const ENCAPSULATE = (more: string): string =>
    `const secret = native.encapsulate(vault, 'ml-kem-768', key.subarray(0, 1184), ciphertext.subarray(0, 1088)${more});`;

  it.each([
    ['is kept', `${MAKE} ${ENCAPSULATE(', randomness(32)')} return ciphertext;`, () => given, true],
    [
      'was encapsulated with given randomness',
      `${MAKE} ${ENCAPSULATE(', randomness(32)')} native.destroy(vault, secret); return ciphertext;`,
      () => given,
      false,
    ],
    [
      'was encapsulated',
      `${MAKE} ${ENCAPSULATE('')} native.destroy(vault, secret); return ciphertext;`,
      (sent: Uint8Array) => ml_kem768.decapsulate(sent.slice(0, 1088), secretKey),
      false,
    ],
    [
      'was decapsulated, of the hybrid',
      `const pair = native.generateKeyPair(vault, 'mlkem768-x25519', key, seed(32));
       const bytes = Uint8Array.from(Buffer.from('${Buffer.from(hybridSent.cipherText).toString('base64')}', 'base64'));
       native.destroy(vault, native.decapsulate(vault, pair, bytes)); return bytes;`,
      () => hybridSent.sharedSecret,
      false,
    ],
  ])('of a shared secret that %s', async (_how, operation, secretOf, isThere) => {
    const { pid, line } = await started(blocked(operation));
    const sent = Uint8Array.from(Buffer.from(line, 'hex'));
    const { found } = searchMemory(pid, [{ name: 'shared secret', bytes: secretOf(sent) }]);
    expect(found.size === 1).toBe(isThere);
  });
});
