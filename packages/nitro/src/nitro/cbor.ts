/**
 * CBOR (RFC 8949) within deterministic limits: definite and shortest lengths, distinct map keys, no tag, integer
 * beyond 2^53, `undefined` or trailing byte, and a bound on depth and items. A Nitro document has about 60 items, 3 deep.
 */
import { decodeFirst, Tokenizer, Type } from 'cborg';
import type { DecodeOptions, Token } from 'cborg';
import { NitroError } from './errors.ts';

const MAX_DEPTH = 4;
const MAX_ITEMS = 256;

const OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
} as const;

/** Counts items and the containers that are open, before cborg's recursion enters one more of them. */
class BoundedTokenizer {
  readonly #tokens: Tokenizer;
  /** Items still to come in each open container. */
  readonly #open: number[] = [];
  #items = 0;

  constructor(bytes: Uint8Array) {
    this.#tokens = new Tokenizer(bytes, OPTIONS);
  }

  done(): boolean {
    return this.#tokens.done();
  }

  pos(): number {
    return this.#tokens.pos();
  }

  next(): Token {
    const token = this.#tokens.next();
    this.#items += 1;
    this.#leaveFinished();
    const size = containedItems(token);
    if (size !== undefined) this.#open.push(size);
    if (this.#items > MAX_ITEMS || this.#open.length > MAX_DEPTH) throw new NitroError('NITRO_ERR_CBOR_LIMIT');
    return token;
  }

  #leaveFinished(): void {
    while (this.#open.at(-1) === 0) this.#open.pop();
    const last = this.#open.length - 1;
    if (last >= 0) this.#open[last] = (this.#open[last] as number) - 1;
  }
}

/** How many items a container's head announces; undefined for everything else. */
function containedItems(token: Token): number | undefined {
  if (Type.equals(token.type, Type.array)) return Number(token.value);
  if (Type.equals(token.type, Type.map)) return 2 * Number(token.value);
  return undefined;
}

/** @throws {NitroError} */
export function decodeCbor(bytes: Uint8Array): unknown {
  const options: DecodeOptions = { ...OPTIONS, tokenizer: new BoundedTokenizer(bytes) };
  let decoded: [unknown, Uint8Array];
  try {
    decoded = decodeFirst(bytes, options) as [unknown, Uint8Array];
  } catch (error) {
    // cborg's messages quote the document.
    throw error instanceof NitroError ? error : new NitroError('NITRO_ERR_CBOR');
  }
  if (decoded[1].length > 0) throw new NitroError('NITRO_ERR_CBOR_TRAILING');
  return decoded[0];
}
