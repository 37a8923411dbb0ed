/**
 * `node scripts/run.ts bench/unproved/main.ts`: what 2,000 peers that never prove themselves cost a server, by what they send, on
 * Node 20 and 24, without identity and with one. The figures of docs/limits.md are its.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { ensureNode, nodeBinary } from '../../scripts/lib/node-binaries.ts';

/** What the server tells. */
interface Cost {
  readonly port: number;
  /** Resident bytes of the whole process. */
  readonly rss: number;
  /** Microseconds of processor time since it began. */
  readonly processor: number;
}

const PEERS = 2_000;
const FINAL_TEXT = 0x81;
const FINAL_BINARY = 0x82;
const REQUEST = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
  '',
  '',
].join('\r\n');

/** RFC 6455 5.2, masked with zeros. */
function frame(firstByte: number, length: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(14);
  header[0] = firstByte;
  header[1] = 0x80 | 127;
  header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

const key = Buffer.from(ml_kem768.keygen().publicKey).toString('base64');
const hello = Buffer.from(JSON.stringify({ pq_websocket: 1, ml_kem_768_encapsulation_key: key }));
const goodHello = frame(FINAL_TEXT, hello.length, hello);

/** Each as much as the server takes, and never ended. */
const PEERS_THAT: Readonly<Record<string, readonly Buffer[]>> = {
  'say nothing': [],
  'send an unfinished hello': [frame(FINAL_TEXT, 32_000, Buffer.alloc(31_999, 'x'))],
  'begin a hello of 60 MB': [frame(FINAL_TEXT, 60_000_000, Buffer.alloc(200_000, 'x'))],
  'send a hello': [goodHello],
  'send a hello and an unfinished Finished': [goodHello, frame(FINAL_BINARY, 69_000, Buffer.alloc(68_999, 'x'))],
};

async function ask(server: ChildProcess): Promise<Cost> {
  server.send('cost');
  const [cost] = (await once(server, 'message')) as [Cost];
  return cost;
}

async function open(port: number, writes: readonly Buffer[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(REQUEST);
  await once(socket, 'data');
  for (const [index, bytes] of writes.entries()) {
    socket.write(bytes);
    // A hello is answered; what the server refuses ends the connection, which is an answer too.
    if (index === 0 && bytes === goodHello) await once(socket, 'data');
  }
  socket.resume();
  return socket;
}

async function measure(major: number, identity: boolean, writes: readonly Buffer[]): Promise<string> {
  const server = fork(path.join(import.meta.dirname, 'server.mjs'), identity ? ['identity'] : [], {
    execPath: nodeBinary(major),
    execArgv: ['--expose-gc'],
  });
  const [{ port }] = (await once(server, 'message')) as [Cost];
  const sockets: Socket[] = [];
  try {
    // The code is compiled and the heap has its size before the count begins.
    for (let i = 0; i < 50; i += 1) sockets.push(await open(port, writes));
    await delay(500);
    const before = await ask(server);
    for (let i = 0; i < PEERS; i += 50) {
      sockets.push(...(await Promise.all(Array.from({ length: 50 }, () => open(port, writes)))));
    }
    await delay(2_000);
    const after = await ask(server);
    const kilobytes = (after.rss - before.rss) / PEERS / 1_000;
    const milliseconds = (after.processor - before.processor) / PEERS / 1_000;
    return `${kilobytes.toFixed(0)} kB | ${milliseconds.toFixed(2)} ms`;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.kill();
  }
}

export async function main(args: readonly string[]): Promise<number> {
  const majors = args.length > 0 ? args.map(Number) : [20, 24];
  console.log(`| ${PEERS} peers that | Node | identity | resident memory, each | processor time, each |`);
  console.log('| --- | --- | --- | --- | --- |');
  for (const major of majors) {
    if (major !== 24) console.error(await ensureNode(major));
    for (const [what, writes] of Object.entries(PEERS_THAT)) {
      for (const identity of writes[0] === goodHello ? [false, true] : [false]) {
        console.log(`| ${what} | ${major} | ${identity ? 'yes' : 'no'} | ${await measure(major, identity, writes)} |`);
      }
    }
  }
  return 0;
}
