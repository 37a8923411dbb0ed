/** The portable backend of a page: JavaScript takes milliseconds for a large record, so it is done in pieces, and the page has its turn between them. */
import type { CryptoBackend } from '../backend.ts';
import { nextTask } from '../../base/next-task.ts';
import { portableBackend } from './symmetric.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { OtherKems, PortableKem } from '../portable-kem.ts';

/**
 * @param kem its ML-KEM-768
 * @param others loads the KEMs that few connections have
 */
export function pageBackend(kem: PortableKem, others?: () => MaybePromise<OtherKems>): CryptoBackend {
  return portableBackend(kem, nextTask, undefined, others);
}
