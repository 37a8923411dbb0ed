/** Bytes that do not compress and differ from message to message, and a way to compare many of them. */
import { createHash, randomBytes } from 'node:crypto';
import { IN_FLIGHT } from '../plan.ts';

export function payloads(count: number, size: number): Buffer[] {
  return Array.from({ length: count }, () => randomBytes(size));
}

const VERIFIED_BYTES = 4 * 1_048_576;

/** As many as a check of their contents needs: the slow builds take seconds for more. */
export function verifiedCount(size: number): number {
  return Math.min(IN_FLIGHT, Math.ceil(VERIFIED_BYTES / size));
}

export function digest(messages: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const message of messages) hash.update(message);
  return hash.digest('hex');
}
