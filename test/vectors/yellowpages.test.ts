/** test/vectors/yellowpages.json against src/protocol, on every backend. */
import { readFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import type { RandomSource } from '../../src/crypto/backend.ts';
import { CountingBackend } from '../support/counting-backend.ts';
import { BACKEND_NAMES, BACKENDS, Clock, ProfileEnd } from '../support/profile-pair.ts';
import type { Role } from '../support/profile-pair.ts';

type WireVector = { readonly text?: string; readonly binary?: string };
interface Case {
  readonly name: string;
  readonly to: Role;
  readonly message: WireVector;
}

const vectors = JSON.parse(readFileSync(new URL('yellowpages.json', import.meta.url), 'utf8')) as {
  readonly profile: string;
  readonly inputs: { readonly keySeed: string; readonly m: string };
  readonly kem: { readonly encapsulationKey: string; readonly ciphertext: string; readonly sharedSecret: string };
  readonly clientHello: string;
  readonly serverHello: string;
  readonly document: string;
  readonly attestation: { readonly ciphertextSha256: string; readonly json: string; readonly userData: string };
  readonly frames: readonly {
    readonly name: string;
    readonly from: Role;
    readonly nonce: string;
    readonly plaintext: string;
    readonly frame: string;
  }[];
  readonly acceptedHellos: readonly Case[];
  readonly refusedHellos: readonly (Case & { readonly code: number })[];
  readonly refusedFrames: readonly (Case & {
    readonly code: number;
    readonly before: readonly { readonly receive?: WireVector; readonly sent?: WireVector }[];
  })[];
};
const sharedSecret = hexToBytes(vectors.kem.sharedSecret);
const document = Buffer.from(vectors.document, 'base64');

function wire({ text, binary }: WireVector): string | Uint8Array {
  return text ?? hexToBytes(binary ?? '');
}

/** An end whose randomness is the vectors', whose verifier takes their document alone and whose server attests it. */
class VectorEnd extends ProfileEnd {
  readonly nonces: Uint8Array[];
  readonly userData: string[];
  readonly #backend: CountingBackend;

  constructor(role: Role, name: keyof typeof BACKENDS) {
    const backend = new CountingBackend(BACKENDS[name]);
    const nonces: Uint8Array[] = [];
    const userData: string[] = [];
    const random: RandomSource = (target) => {
      const given = nonces.shift();
      if (given === undefined) throw new Error('a nonce that no vector gives');
      target.set(given);
      return target;
    };
    super(role, backend, new Clock(), {
      profile: 'yellowpages',
      random,
      keySeed: () => hexToBytes(vectors.inputs.keySeed),
      encapsulationRandomness: () => hexToBytes(vectors.inputs.m),
      yellowpages: {
        verify: (presented, data) => {
          userData.push(Buffer.from(data).toString());
          if (!document.equals(presented)) throw new Error('another document');
        },
        attest: (data) => {
          userData.push(Buffer.from(data).toString());
          return document;
        },
      },
    });
    this.nonces = nonces;
    this.userData = userData;
    this.#backend = backend;
  }

  async start(): Promise<this> {
    if (this.role === 'client') this.session.start();
    await this.settle();
    return this;
  }

  settle(): Promise<void> {
    return this.#backend.settled();
  }

  async receive(message: string | Uint8Array): Promise<void> {
    this.session.receive(message);
    await this.settle();
  }

  async open(): Promise<this> {
    await this.start();
    await this.receive(this.role === 'client' ? vectors.serverHello : vectors.clientHello);
    expect(this.session.state).toBe('open');
    return this;
  }

  /** Sends what is in this frame, with its nonce. */
  async sendFrame(frame: Uint8Array): Promise<void> {
    const nonce = frame.subarray(0, 12);
    this.nonces.push(nonce);
    this.say(gcm(sharedSecret, nonce).decrypt(frame.subarray(12)));
    await this.settle();
    expect(this.wire.at(-1)).toBe(bytesToHex(frame));
  }
}

function expectRefused(end: VectorEnd, code: number): void {
  expect(end.session.state).toBe('failed');
  expect(end.told).toEqual({ code, reason: end.failure?.message });
  expect(end.failure).toMatchObject({ closeCode: code, origin: 'local' });
}

test('there is a case in every section', () => {
  expect(vectors.profile).toBe('yellowpages');
  for (const section of ['frames', 'acceptedHellos', 'refusedHellos', 'refusedFrames'] as const) {
    expect([section, vectors[section].length > 1]).toEqual([section, true]);
  }
});

describe.each(BACKEND_NAMES)('%s', (name) => {
  test('the hellos of both ends, and what the document is bound to', async () => {
    const client = await new VectorEnd('client', name).open();
    expect(client.wire).toEqual([vectors.clientHello]);
    const server = await new VectorEnd('server', name).open();
    expect(server.wire).toEqual([vectors.serverHello]);
    expect([client.userData, server.userData]).toEqual([
      [vectors.attestation.userData],
      [vectors.attestation.userData],
    ]);
    const json = Buffer.from(vectors.attestation.userData, 'base64').toString();
    expect(json).toBe(vectors.attestation.json);
    const hash = Buffer.from(
      (JSON.parse(json) as { ml_kem_768_ciphertext_hash: string }).ml_kem_768_ciphertext_hash,
      'base64',
    );
    expect(hash.toString('hex')).toBe(vectors.attestation.ciphertextSha256);
  });

  test('the frames, sealed and opened by both ends in the order of the wire', async () => {
    const ends = {
      client: await new VectorEnd('client', name).open(),
      server: await new VectorEnd('server', name).open(),
    };
    for (const { from, nonce, plaintext, frame } of vectors.frames) {
      const to = from === 'client' ? ends.server : ends.client;
      ends[from].nonces.push(hexToBytes(nonce));
      ends[from].say(hexToBytes(plaintext));
      await ends[from].settle();
      expect(ends[from].wire.at(-1)).toBe(frame);
      await to.receive(hexToBytes(frame));
      expect(bytesToHex(to.received.at(-1) as Uint8Array)).toBe(plaintext);
    }
  });

  test.each(vectors.acceptedHellos)('accepts $name', async ({ to, message }) => {
    const end = await new VectorEnd(to, name).start();
    await end.receive(wire(message));
    expect(end.session.state).toBe('open');
    expect(end.events).toEqual(['opened']);
  });

  test.each(vectors.refusedHellos)('refuses $name with $code', async ({ to, message, code }) => {
    const end = await new VectorEnd(to, name).start();
    const before = end.sent.length;
    await end.receive(wire(message));
    expectRefused(end, code);
    expect(end.sent.length).toBe(before);
  });

  test.each(vectors.refusedFrames)('refuses $name with $code', async ({ to, before, message, code }) => {
    const end = await new VectorEnd(to, name).open();
    for (const { receive, sent } of before) {
      if (receive !== undefined) await end.receive(wire(receive));
      if (sent !== undefined) await end.sendFrame(wire(sent) as Uint8Array);
    }
    expect(end.session.state).toBe('open');
    const delivered = end.received.length;
    await end.receive(wire(message));
    expectRefused(end, code);
    expect(end.received.length).toBe(delivered);
  });
});
