/** Reads another process's memory as Linux shows it, and looks for byte strings in it. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Bytes that have to be there: a part of a secret is a leak too, and what frees memory writes over its beginning. */
const COMPARED = 16;
/** Arrays and what is freed of them begin at multiples of four. */
const STEP = 4;
const CHUNK = 4 * 2 ** 20;
const FILTER_BITS = 22;

export interface Pattern {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Start {
  readonly pattern: Pattern;
  readonly at: number;
}

function hash(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

/** Whatever a process can write to. */
function ranges(pid: number): { from: number; to: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, from, to, rights] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line) ?? [];
      if (from === undefined || to === undefined || !rights?.startsWith('rw')) return [];
      return [{ from: Number.parseInt(from, 16), to: Number.parseInt(to, 16) }];
    });
}

/** Where in a pattern a piece to look for may begin: at each sixteenth byte, and at the three after it for memory that begins between. */
function startsOf(patterns: readonly Pattern[]): Map<number, Start[]> {
  const starts = new Map<number, Start[]>();
  for (const pattern of patterns) {
    const view = new DataView(pattern.bytes.buffer, pattern.bytes.byteOffset, pattern.bytes.byteLength);
    for (let block = 0; block + COMPARED <= view.byteLength; block += COMPARED) {
      // The last piece ends with the pattern.
      const from = Math.max(0, Math.min(block, view.byteLength - COMPARED - STEP + 1));
      for (let at = from; at < from + STEP && at + COMPARED <= view.byteLength; at += 1) {
        const word = view.getUint32(at, true);
        const known = starts.get(word);
        if (known === undefined) starts.set(word, [{ pattern, at }]);
        else known.push({ pattern, at });
      }
    }
  }
  return starts;
}

/** @returns which of the patterns stand in the process's memory, or a part of them, and how many bytes were read */
export function searchMemory(pid: number, patterns: readonly Pattern[]): { found: Set<Pattern>; bytes: number } {
  const starts = startsOf(patterns);
  const filter = new Uint8Array(2 ** FILTER_BITS);
  for (const word of starts.keys()) filter[hash(word)] = 1;
  const found = new Set<Pattern>();
  let bytes = 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  // What lies across two chunks is read twice.
  const chunk = new Uint8Array(CHUNK + COMPARED);
  const words = new Uint32Array(chunk.buffer, 0, CHUNK / STEP);
  try {
    for (const { from, to } of ranges(pid)) {
      for (let at = from; at < to; at += CHUNK) {
        const length = Math.min(CHUNK + COMPARED, to - at);
        let read: number;
        try {
          read = readSync(memory, chunk, 0, length, at);
        } catch {
          // Reserved and never touched, or the kernel's own.
          continue;
        }
        bytes += read;
        const limit = Math.min(words.length, Math.floor((read - COMPARED) / STEP) + 1);
        for (let i = 0; i < limit; i += 1) {
          const word = words[i] as number;
          if (filter[hash(word)] === 0) continue;
          for (const { pattern, at: offset } of starts.get(word) ?? []) {
            let j = 0;
            while (j < COMPARED && pattern.bytes[offset + j] === chunk[STEP * i + j]) j += 1;
            if (j === COMPARED) found.add(pattern);
          }
        }
      }
    }
  } finally {
    closeSync(memory);
  }
  return { found, bytes };
}
