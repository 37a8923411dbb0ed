/**
 * `record-*`: what one processor core seals and opens without any socket: this package's record layer, and beside it
 * the least that AES-256-GCM costs in this Node, createCipheriv and createDecipheriv with nothing around them.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { giveFrameBack, takeFrame } from '../../../src/platform/node-frames/pool.ts';
import { platform } from '#platform';
import { DirectionKeys } from '../../../src/protocol/v1/key-schedule.ts';
import { DEFAULT_LIMITS } from '../../../src/protocol/limits.ts';
import { RecordReceiver } from '../../../src/protocol/v1/open.ts';
import * as Kind from '../../../src/protocol/v1/kinds.ts';
import { blankFrame, maxInnerBytes } from '../../../src/protocol/v1/record.ts';
import { RecordSender } from '../../../src/protocol/v1/seal.ts';
import { digest, payloads } from '../payload.ts';
import type { Workload } from '../workload.ts';

const MESSAGES = 16;

/** Seals and opens one message. @returns what was opened */
type Pass = (message: Buffer) => Uint8Array;

async function recordLayer(native: boolean): Promise<Pass> {
  const backend = platform.backend(native);
  const transcriptHash = randomBytes(32);
  const bytes = randomBytes(32);
  const direction = async (): Promise<DirectionKeys> =>
    DirectionKeys.derive(backend, transcriptHash, 'client', await backend.importSecret(bytes));
  const receiver = new RecordReceiver({
    keys: await direction(),
    maxInner: maxInnerBytes(DEFAULT_LIMITS.maxPayload),
    maxEpochRecords: DEFAULT_LIMITS.receivedEpochRecords,
  });
  let opened: Uint8Array | undefined;
  const config = {
    random: platform.random,
    keysDrawNonces: true,
    takeFrame,
    now: () => performance.now(),
    limits: DEFAULT_LIMITS,
  } as const;
  const sender = new RecordSender(
    await direction(),
    config,
    {
      transmit(frame) {
        const record = receiver.open(frame);
        if (record instanceof Promise) throw new Error('node:crypto answers at once');
        opened = record.content;
        // As a connection does once its transport has written it.
        giveFrameBack(frame);
      },
    },
    (error) => {
      throw error;
    },
  );
  return (message) => {
    opened = undefined;
    sender.push(Kind.BINARY, blankFrame(Kind.BINARY, message.length, config), undefined, message);
    if (opened === undefined) throw new Error('a record did not come back at once');
    return opened;
  };
}

function bareCrypto(): Pass {
  const key = createSecretKey(randomBytes(32));
  const nonce = Buffer.alloc(12);
  const additionalData = Buffer.alloc(8);
  let sequence = 0;
  return (message) => {
    nonce.writeUInt32BE((sequence += 1));
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    cipher.setAAD(additionalData);
    const ciphertext = cipher.update(message);
    cipher.final();
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
    decipher.setAAD(additionalData);
    decipher.setAuthTag(cipher.getAuthTag());
    const opened = decipher.update(ciphertext);
    decipher.final();
    return opened;
  };
}

export async function record(build: 'pq' | 'native' | 'node-crypto', size: number): Promise<Workload> {
  const pass = build === 'node-crypto' ? bareCrypto() : await recordLayer(build === 'native');
  const messages = payloads(MESSAGES, size);
  return {
    async sample(milliseconds) {
      let count = 0;
      let bytes = 0;
      const start = performance.now();
      const deadline = start + milliseconds;
      do {
        for (const message of messages) bytes += pass(message).length;
        count += MESSAGES;
      } while (performance.now() < deadline);
      const seconds = (performance.now() - start) / 1_000;
      if (bytes !== count * size) throw new Error(`${bytes} bytes were opened of ${count * size}`);
      return { rate: count / seconds, operations: count };
    },

    async verify() {
      if (digest(messages.map(pass)) !== digest(messages))
        throw new Error(`records of ${size} bytes were opened changed`);
    },
  };
}
