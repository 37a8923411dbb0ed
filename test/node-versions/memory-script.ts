/**
 * A child of secrets-in-memory.test.ts: both ends of many connections, one after the other, each with an exchange and a close. Then it
 * collects, says which secrets there were (under a mask), and stands still while its memory is read.
 */
import crypto from 'node:crypto';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { WsStyleWebSocket } from '../../src/ws.ts';
import { record, recorded, startRecording } from './memory-record.ts';

type Call = (...given: readonly unknown[]) => unknown;

/** Puts a function around one of node:crypto's, before anything imports it. */
function around(name: string, watch: (result: unknown, given: readonly unknown[]) => void): void {
  const functions = crypto as unknown as Record<string, Call | undefined>;
  const original = functions[name];
  if (original === undefined) return;
  functions[name] = (...given): unknown => {
    const result = original(...given);
    watch(result, given);
    return result;
  };
}

function watchNodeCrypto(): void {
  around('hkdfSync', (result) => {
    record('h', new Uint8Array(result as ArrayBuffer));
  });
  around('decapsulate', (result) => {
    record('c', result as Buffer);
  });
  around('encapsulate', (result) => {
    record('e', (result as { sharedKey: Buffer }).sharedKey);
  });
  // Takes a copy: what it is given is recorded here and overwritten by who gave it.
  around('createSecretKey', (_result, [bytes]) => {
    record('s', bytes as Uint8Array);
  });
  around('generateKeyPairSync', (result) => {
    const { privateKey } = result as { privateKey: crypto.KeyObject };
    const seed = (privateKey.export as (options: object) => unknown)({ format: 'raw-seed' }) as Buffer;
    record('g', seed);
    seed.fill(0);
  });
  syncBuiltinESMExports();
}

function watchRandomSource(): void {
  const source = globalThis.crypto;
  const original = source.getRandomValues.bind(source);
  source.getRandomValues = (array): typeof array => {
    original(array);
    // FIPS 203: d and z, or m.
    if (array instanceof Uint8Array && array.length >= 32) record(array.length === 64 ? 'g' : 'm', array);
    return array;
  };
}

async function converse(url: string, accepted: Promise<WsStyleWebSocket>): Promise<void> {
  const { PQWebSocket } = await import('../../src/index.ts');
  const client = new PQWebSocket(url);
  const closedHere = new Promise((resolve) => {
    client.onclose = resolve;
  });
  await new Promise((resolve) => {
    client.onopen = resolve;
  });
  const server = await accepted;
  const closedThere = new Promise((resolve) => server.once('close', resolve));
  const heard = new Promise((resolve) => server.once('message', resolve));
  await client.pq.exchange();
  client.send('a message');
  await heard;
  // The application's own to overwrite.
  (await client.pq.exportKey('of a test', 32)).fill(0);
  client.close(4000, 'done');
  await closedHere;
  await closedThere;
}

async function main(): Promise<void> {
  watchNodeCrypto();
  watchRandomSource();
  const { WebSocketServer } = await import('../../src/ws.ts');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (let i = 0; i < Number(process.argv[2]); i += 1) {
    // The first finds out what this Node has, and loads parts.
    if (i === 1) startRecording();
    await converse(url, new Promise((resolve) => server.once('connection', resolve)));
  }
  server.close();
  await once(server, 'close');
  for (let i = 0; i < 4; i += 1) {
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
  const log = recorded();
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, log.length);
  writeSync(1, length);
  for (let at = 0; at < log.length;) at += writeSync(1, log, at);
  // The parent reads, and then closes stdin.
  process.stdin.resume();
}

void main();
