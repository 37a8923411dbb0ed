/** The package around the compiled code: what it exports, how it is found, and where it runs. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nativeFile } from '../../../scripts/lib/native.ts';
import { NATIVE_PACKAGE, nativeBinding } from '../../support/native.ts';

const binding = nativeBinding('the tests of its package');
const ROOT = path.resolve(NATIVE_PACKAGE, '../..');

async function read(name: string, folder = NATIVE_PACKAGE): Promise<string> {
  return readFile(path.join(folder, name), 'utf8');
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pq-native-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What a Node of its own prints that runs `script`. It has to end by itself, with the exit code 0. */
async function output(script: string, cwd = folder): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd, timeout: 60_000 });
  return stdout.trim();
}

it('has one version, and the same types for both module systems', async () => {
  const { version } = JSON.parse(await read('package.json')) as { version: string };
  expect(version).toBe((JSON.parse(await read('package.json', ROOT)) as { version: string }).version);
  expect(await read('Cargo.toml')).toContain(`\nversion = "${version}"\n`);
  expect(await read('index.d.ts')).toBe("export * from './index.cjs';\n");
});

it('says what it looked for where its code is missing', async () => {
  for (const name of ['index.cjs', 'package.json']) await cp(path.join(NATIVE_PACKAGE, name), path.join(folder, name));
  expect(() => createRequire(import.meta.url)(path.join(folder, 'index.cjs')) as unknown).toThrow(
    expect.objectContaining({
      name: 'NativeNotFoundError',
      code: 'ERR_PQ_NATIVE_NOT_FOUND',
      message: expect.stringContaining(`${process.platform}-${process.arch}`) as string,
    }),
  );
});

describe.skipIf(binding === undefined)('built', () => {
  const required = `const native = require(${JSON.stringify(NATIVE_PACKAGE)});`;

  it('exports the same by import and by require, and what the types say', async () => {
    const imported = (await import(pathToFileURL(path.join(NATIVE_PACKAGE, 'index.js')).href)) as object;
    const declared = [...(await read('index.d.cts')).matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
    expect(Object.keys(imported).sort()).toEqual(declared.sort());
    expect(Object.keys(binding!).sort()).toEqual(declared);
  });

  it('refuses the code of another version', async () => {
    const other = path.join(folder, 'other');
    await cp(path.join(NATIVE_PACKAGE, 'index.cjs'), path.join(other, 'index.cjs'));
    await cp(nativeFile(), path.join(other, path.basename(nativeFile())));
    await writeFile(path.join(other, 'package.json'), '{ "version": "99.0.0" }');
    const script = "try { require('./other/index.cjs') } catch (error) { console.log(error.errors[0].message) }";
    expect(await output(script)).toContain('expected version 99.0.0');
  });

  it('works in worker threads, one of which is ended in the middle of its work', async () => {
    const work = `
      ${required}
      const vault = native.createVault();
      const key = native.importKey(vault, native.importSecret(vault, new Uint8Array(32)));
      const frame = new Uint8Array(1000);
      native.seal(vault, key, frame, new Uint8Array(8), true);
      const opened = native.open(vault, key, frame, new Uint8Array(8));`;
    const worker = `${work} const { parentPort } = require('node:worker_threads');
      parentPort.postMessage(opened);
      parentPort.once('message', () => { for (;;) native.generateKeyPair(native.createVault(), 'ml-kem-768', new Uint8Array(1184)); });`;
    const main = `${work}
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true });
      worker.once('message', (theirs) => {
        worker.postMessage('go on');
        setImmediate(async () => {
          await worker.terminate();
          const again = new Worker(${JSON.stringify(worker)}, { eval: true });
          again.once('message', (afterwards) => {
            console.log(opened, theirs, afterwards);
            again.terminate();
          });
        });
      });`;
    expect(await output(main)).toBe('true true true');
  });

  it('does not hold a process that ends in the middle, with vaults that are in use', async () => {
    const script = `${required}
      globalThis.held = Array.from({ length: 1000 }, () => native.createVault());
      for (const vault of held) {
        native.importKey(vault, native.importSecret(vault, new Uint8Array(32)));
        native.generateKeyPair(vault, 'mlkem768-x25519', new Uint8Array(1216));
      }
      setInterval(() => native.seal(held[1], 1, new Uint8Array(100), new Uint8Array(8), true), 1);
      process.on('exit', () => console.log(native.open(held[1], 1, new Uint8Array(100), new Uint8Array(8))));
      setImmediate(() => process.exit());`;
    expect(await output(script)).toBe('false');
  });

  it('is what npm ws takes for bufferutil, under that name', async () => {
    const modules = path.join(folder, 'node_modules');
    await mkdir(modules, { recursive: true });
    await symlink(NATIVE_PACKAGE, path.join(modules, 'bufferutil'), 'dir');
    await cp(path.join(ROOT, 'node_modules', 'ws'), path.join(modules, 'ws'), { recursive: true });
    const script = `
      const calls = { mask: 0, unmask: 0 };
      const bufferutil = require('bufferutil');
      for (const name of Object.keys(calls)) {
        const original = bufferutil[name];
        bufferutil[name] = (...given) => {
          calls[name] += 1;
          return original(...given);
        };
      }
      const { WebSocket, WebSocketServer } = require('ws');
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
        const socket = new WebSocket('ws://127.0.0.1:' + server.address().port);
        const sent = Buffer.from(Array.from({ length: 70_001 }, (_, i) => i & 0xff));
        socket.on('open', () => socket.send(sent));
        socket.on('message', (received) => {
          console.log(sent.equals(received), calls.mask, calls.unmask);
          socket.terminate();
          server.close();
        });
      });
      server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));`;
    expect(await output(script)).toBe('true 1 1');
  });
});
