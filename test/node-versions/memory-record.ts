/**
 * What a child of secrets-in-memory.test.ts keeps of each secret that it meets: every byte with a mask on it, in memory outside the
 * engine's heap. It goes byte by byte, so that the record itself leaves no copy of what is looked for.
 */
export const MASK = 0xa5;

const CAPACITY = 16 * 2 ** 20;
const log = new Uint8Array(new ArrayBuffer(CAPACITY));
let used = 0;
let isRecording = false;

/** What was made while modules loaded, to find out what this Node has, belongs to no connection. */
export function startRecording(): void {
  isRecording = true;
}

/** One letter for what it is, its length as two bytes, and the bytes under the mask. */
export function record(what: string, secret: Uint8Array): void {
  if (!isRecording) return;
  const { length } = secret;
  if (used + 3 + length > CAPACITY) throw new Error('more secrets than the record holds');
  log[used] = what.charCodeAt(0);
  log[used + 1] = length >> 8;
  log[used + 2] = length & 0xff;
  used += 3;
  for (let i = 0; i < length; i += 1) log[used + i] = (secret[i] as number) ^ MASK;
  used += length;
}

export function recorded(): Uint8Array {
  return log.subarray(0, used);
}
