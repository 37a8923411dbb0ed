/**
 * Messages of one record, each made when it is told of: whoever stops in the midst of thousands keeps the record's bytes and a place in
 * them, and what nobody has asked for has cost next to nothing.
 */
import { Refusal } from '../errors.ts';
import * as Kind from './kinds.ts';
import { BATCH_ENTRY_HEADER_BYTES, checkEntries, endOfEntry } from './record.ts';

/** Texts up to this are looked at byte by byte, which costs less than a view for whoever knows how to look at longer ones. */
const SHORT_TEXT_BYTES = 64;

export class Batch {
  /** Messages that have not been taken. */
  left = 0;
  /** Where the next one begins. */
  #at = 0;

  /**
   * Checks all of it.
   * @param content in memory that nobody writes to until the last message has been taken
   * @throws {Refusal} PQ_ERR_BATCH, PQ_ERR_MESSAGE_SIZE or PQ_ERR_UTF8
   */
  constructor(
    private readonly content: Uint8Array,
    maxPayload: number,
    isText: (payload: Uint8Array) => boolean,
  ) {
    checkEntries(content);
    let end: number;
    for (let at = 0; at < content.length; at = end) {
      end = endOfEntry(content, at);
      const start = at + BATCH_ENTRY_HEADER_BYTES;
      if (end - start > maxPayload) throw new Refusal('PQ_ERR_MESSAGE_SIZE');
      if (content[at] === Kind.TEXT && !isShortAscii(content, start, end) && !isText(content.subarray(start, end))) {
        throw new Refusal('PQ_ERR_UTF8');
      }
      this.left += 1;
    }
  }

  /** Whether the next one is a text, whose bytes are valid UTF-8. */
  get isText(): boolean {
    return this.content[this.#at] === Kind.TEXT;
  }

  /** @returns the next one's bytes, a view; only while one is left */
  take(): Uint8Array {
    const { content } = this;
    const start = this.#at + BATCH_ENTRY_HEADER_BYTES;
    this.#at = endOfEntry(content, this.#at);
    this.left -= 1;
    // A listener may have given the memory away. Then there is nothing to make a view of.
    return content.length === 0 ? content : content.subarray(start, this.#at);
  }
}

function isShortAscii(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > SHORT_TEXT_BYTES) return false;
  for (let at = start; at < end; at += 1) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}
