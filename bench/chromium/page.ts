/** What is measured in a page: the record layer by itself, and how long the page stands still while bytes go both ways. */
import { platform } from '#platform';
import { gcm } from '@noble/ciphers/aes.js';
import { PQWebSocket } from '../../src/index.ts';
import { DirectionKeys } from '../../src/protocol/v1/key-schedule.ts';
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts';
import { RecordReceiver } from '../../src/protocol/v1/open.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { composeFrame, maxInnerBytes } from '../../src/protocol/v1/record.ts';
import { RecordSender } from '../../src/protocol/v1/seal.ts';

/** A second each. */
export interface Rates {
  readonly seal: number;
  readonly open: number;
}

/** As many as are sealed before the page waits for the last of them: what a burst of an application is. */
const BURST = 16;
const GET_RANDOM_LIMIT = 65_536;

function randomBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += GET_RANDOM_LIMIT) crypto.getRandomValues(bytes.subarray(at, at + GET_RANDOM_LIMIT));
  return bytes;
}

async function directionKeys(transcriptHash: Uint8Array, secret: Uint8Array): Promise<DirectionKeys> {
  const backend = platform.backend();
  return DirectionKeys.derive(backend, transcriptHash, 'client', await backend.importSecret(secret));
}

/** Seals, then opens, bursts of messages until the time is over. Throws when what is opened is not what was sealed. */
async function recordLayer(size: number, milliseconds: number): Promise<Rates> {
  const transcriptHash = randomBytes(32);
  const secret = randomBytes(32);
  let frames: Uint8Array[] = [];
  let sealed: () => void = () => undefined;
  const sender = new RecordSender(
    await directionKeys(transcriptHash, secret),
    { random: platform.random, now: () => performance.now(), limits: DEFAULT_LIMITS },
    {
      transmit(frame) {
        frames.push(frame);
        if (frames.length === BURST) sealed();
      },
    },
    (error) => {
      throw error;
    },
  );
  const receiver = new RecordReceiver({
    keys: await directionKeys(transcriptHash, secret),
    maxInner: maxInnerBytes(DEFAULT_LIMITS.maxPayload),
    maxEpochRecords: DEFAULT_LIMITS.receivedEpochRecords,
  });
  const message = randomBytes(size);
  let sealTime = 0;
  let openTime = 0;
  let count = 0;
  while (sealTime + openTime < milliseconds) {
    frames = [];
    const all = new Promise<void>((resolve) => {
      sealed = resolve;
    });
    const start = performance.now();
    for (let i = 0; i < BURST; i += 1) sender.push(Kind.BINARY, composeFrame(Kind.BINARY, message, {}));
    await all;
    const middle = performance.now();
    // The receiver opens in order; a record begins when the one before it is open.
    for (const frame of frames) {
      const { content } = await receiver.open(frame);
      if (content.length !== size || content[size - 1] !== message[size - 1])
        throw new Error('a record was opened changed');
    }
    sealTime += middle - start;
    openTime += performance.now() - middle;
    count += BURST;
  }
  return { seal: count / (sealTime / 1_000), open: count / (openTime / 1_000) };
}

/** The obvious build: one call of @noble's gcm for each message, a random nonce each. */
function naive(size: number, milliseconds: number): Rates {
  const key = randomBytes(32);
  const message = randomBytes(size);
  let sealTime = 0;
  let openTime = 0;
  let count = 0;
  while (sealTime + openTime < milliseconds) {
    const start = performance.now();
    const nonce = crypto.getRandomValues(new Uint8Array(12));
    const sealed = gcm(key, nonce).encrypt(message);
    const middle = performance.now();
    const opened = gcm(key, nonce).decrypt(sealed);
    if (opened.length !== size || opened[size - 1] !== message[size - 1])
      throw new Error('a message was opened changed');
    sealTime += middle - start;
    openTime += performance.now() - middle;
    count += 1;
  }
  return { seal: count / (sealTime / 1_000), open: count / (openTime / 1_000) };
}

/** Watches how long the page's thread does not come round to a new task. @returns ends it and gives the longest, in milliseconds */
function watchBlocks(): () => number {
  const { port1, port2 } = new MessageChannel();
  let last = performance.now();
  let longest = 0;
  const note = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  port1.onmessage = (): void => {
    note();
    port2.postMessage(null);
  };
  port2.postMessage(null);
  return () => {
    note();
    port1.close();
    return longest;
  };
}

/** Sends `total` bytes in messages of `size`, gets all of them back, and gives the longest block meanwhile. */
async function longestBlock(url: string, build: 'ws' | 'pq', size: number, total: number): Promise<number> {
  const socket = build === 'ws' ? new WebSocket(url) : new PQWebSocket(url);
  socket.binaryType = 'arraybuffer';
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => {
      resolve();
    });
    socket.addEventListener('close', ({ code }: { code: number }) => {
      reject(new Error(`the connection closed with ${code}`));
    });
  });
  const message = randomBytes(size);
  const stopped = new Promise<void>((resolve, reject) => {
    let received = 0;
    socket.addEventListener('message', ({ data }: { data: ArrayBuffer }) => {
      received += data.byteLength;
      if (new Uint8Array(data)[size - 1] !== message[size - 1]) reject(new Error('a message came back changed'));
      else if (received === total) resolve();
    });
  });
  const longest = watchBlocks();
  for (let sent = 0; sent < total; sent += size) {
    socket.send(message as Uint8Array<ArrayBuffer>);
    // As an application that reads a file does: a piece, then the event loop.
    await new Promise((resolve) => setTimeout(resolve));
  }
  await stopped;
  const block = longest();
  socket.close();
  return block;
}

const benchPage = { recordLayer, naive, longestBlock };
export type BenchPage = typeof benchPage;

(globalThis as unknown as { benchPage: BenchPage }).benchPage = benchPage;
