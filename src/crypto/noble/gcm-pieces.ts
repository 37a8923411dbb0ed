/**
 * AES-256-GCM (SP 800-38D section 7) in pieces, of @noble's CTR and GHASH, which is what its own GCM is made of: whoever waits
 * for this thread gets its turn between two of them.
 */
import { ghash } from '@noble/ciphers/_polyval.js';
import { ctr } from '@noble/ciphers/aes.js';
import { equalBytes } from '@noble/ciphers/utils.js';
import { NONCE_BYTES, TAG_BYTES } from '../backend.ts';
import { copyOfSecret } from '../../base/bytes.ts';
import { Promise } from '../../base/captured.ts';

const BLOCK_BYTES = 16;
/** Half a millisecond of JavaScript, enciphered and hashed. */
export const PIECE_BYTES = 8_192;

/** Gives the thread to others for a while. */
export type Pause = () => Promise<void>;

/** One message's key, which it takes over, nonce and additional data. */
class Gcm {
  readonly #key: Uint8Array;
  readonly #hash: ReturnType<typeof ghash.create>;
  readonly #counter = new Uint8Array(BLOCK_BYTES);

  constructor(
    key: Uint8Array,
    nonce: Uint8Array,
    private readonly additionalData: Uint8Array,
  ) {
    this.#key = key;
    // H, the hash subkey: the zero block, enciphered.
    const subkey = ctr(this.#key, this.#counter).encrypt(new Uint8Array(BLOCK_BYTES));
    this.#counter.set(nonce);
    this.#hash = ghash.create(subkey);
    subkey.fill(0);
    // GHASH pads each part to whole blocks, as 7.1 step 5 has it; every piece but the last is whole.
    this.#hash.update(additionalData);
  }

  /** @param at where the piece stands in the text: a whole number of blocks from its begin */
  encipher(piece: Uint8Array, at: number): Uint8Array {
    // 7.1 steps 2 and 3: J0 is nonce || 1, and the text begins with the counter after it. It has 2^32 blocks at most (5.2.1.1).
    return ctr(this.#key, this.#counterBlock(2 + at / BLOCK_BYTES)).encrypt(piece);
  }

  hash(piece: Uint8Array): void {
    this.#hash.update(piece);
  }

  /** @param length of the ciphertext, all of which has been hashed */
  tag(length: number): Uint8Array {
    const lengths = new DataView(new ArrayBuffer(BLOCK_BYTES));
    lengths.setBigUint64(0, BigInt(8 * this.additionalData.length));
    lengths.setBigUint64(8, BigInt(8 * length));
    const sum = this.#hash.update(new Uint8Array(lengths.buffer)).digest();
    return ctr(this.#key, this.#counterBlock(1)).encrypt(sum);
  }

  destroy(): void {
    this.#key.fill(0);
    this.#hash.destroy();
  }

  #counterBlock(count: number): Uint8Array {
    new DataView(this.#counter.buffer).setUint32(NONCE_BYTES, count);
    return this.#counter;
  }
}

/** Seals and opens frames that take long, one after the other: the first is ready first. */
export class PiecewiseGcm {
  #last: Promise<unknown> = Promise.resolve();

  /** @param pieceBytes a whole number of blocks */
  constructor(
    private readonly pause: Pause,
    readonly pieceBytes: number,
  ) {}

  /** Seals `nonce || plaintext || 16 spare bytes` in place. The key is read in this turn. */
  seal(key: Uint8Array, frame: Uint8Array, additionalData: Uint8Array): Promise<Uint8Array> {
    return this.#inOrder(key, frame, additionalData, async (cipher, text) => {
      for (const [at, piece] of this.#pieces(text)) {
        await this.pause();
        piece.set(cipher.encipher(piece, at));
        cipher.hash(piece);
      }
      frame.set(cipher.tag(text.length), frame.length - TAG_BYTES);
      return frame;
    });
  }

  /** Opens `nonce || ciphertext || tag`: undefined when the tag does not match, which is known before anything is deciphered. */
  open(key: Uint8Array, frame: Uint8Array, additionalData: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#inOrder(key, frame, additionalData, async (cipher, text) => {
      for (const [, piece] of this.#pieces(text)) {
        await this.pause();
        cipher.hash(piece);
      }
      if (!equalBytes(cipher.tag(text.length), frame.subarray(-TAG_BYTES))) return undefined;
      const plaintext = new Uint8Array(text.length);
      for (const [at, piece] of this.#pieces(text)) {
        await this.pause();
        plaintext.set(cipher.encipher(piece, at), at);
      }
      return plaintext;
    });
  }

  *#pieces(text: Uint8Array): Generator<[at: number, piece: Uint8Array]> {
    for (let at = 0; at < text.length; at += this.pieceBytes) yield [at, text.subarray(at, at + this.pieceBytes)];
  }

  #inOrder<T>(
    key: Uint8Array,
    frame: Uint8Array,
    additionalData: Uint8Array,
    work: (cipher: Gcm, text: Uint8Array) => Promise<T>,
  ): Promise<T> {
    // Its owner may destroy it while this waits.
    const own = copyOfSecret(key);
    const result = this.#last.then(async () => {
      const cipher = new Gcm(own, frame.subarray(0, NONCE_BYTES), additionalData);
      try {
        return await work(cipher, frame.subarray(NONCE_BYTES, -TAG_BYTES));
      } finally {
        cipher.destroy();
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
