/** The attestation document inside COSE, field by field, with the lengths that AWS's specification gives. */
import { decodeCbor } from './cbor.ts';
import { NitroError } from './errors.ts';
import type { NitroDocument } from './types.ts';

export const PCR_BYTES = 48;
export const MAX_PCR_INDEX = 31;
export const MAX_USER_DATA_BYTES = 512;
const MAX_NONCE_BYTES = 512;
const MAX_PUBLIC_KEY_BYTES = 1024;
const MAX_CERTIFICATE_BYTES = 1024;
const MAX_CHAIN_CERTIFICATES = 8;

export type Payload = Omit<NitroDocument, 'testRoot'>;

/** @throws {NitroError} Fields that this version does not know are AWS's to add: signed, and ignored. */
export function parsePayload(bytes: Uint8Array): Payload {
  const fields = decodeCbor(bytes);
  if (!(fields instanceof Map)) throw new NitroError('NITRO_ERR_FIELDS');
  const field = (name: string): unknown => (fields as Map<unknown, unknown>).get(name);
  return {
    moduleId: text(field('module_id')),
    digest: digest(field('digest')),
    timestamp: timestamp(field('timestamp')),
    pcrs: pcrs(field('pcrs')),
    certificate: byteString(field('certificate'), 1, MAX_CERTIFICATE_BYTES),
    cabundle: cabundle(field('cabundle')),
    publicKey: optionalBytes(field('public_key'), 1, MAX_PUBLIC_KEY_BYTES),
    userData: optionalBytes(field('user_data'), 0, MAX_USER_DATA_BYTES),
    nonce: optionalBytes(field('nonce'), 0, MAX_NONCE_BYTES),
  };
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new NitroError('NITRO_ERR_FIELDS');
  return value;
}

function digest(value: unknown): 'SHA384' {
  if (value !== 'SHA384') throw new NitroError('NITRO_ERR_DIGEST');
  return value;
}

/** Milliseconds. */
function timestamp(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value <= 0) throw new NitroError('NITRO_ERR_FIELDS');
  return value;
}

function pcrs(value: unknown): ReadonlyMap<number, Uint8Array> {
  if (!(value instanceof Map) || value.size === 0) throw new NitroError('NITRO_ERR_FIELDS');
  for (const [index, register] of value as Map<unknown, unknown>) {
    const known = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index <= MAX_PCR_INDEX;
    if (!known || !(register instanceof Uint8Array) || register.length !== PCR_BYTES) {
      throw new NitroError('NITRO_ERR_PCR_FORMAT');
    }
  }
  return value as Map<number, Uint8Array>;
}

function cabundle(value: unknown): readonly Uint8Array[] {
  if (!Array.isArray(value) || value.length === 0) throw new NitroError('NITRO_ERR_FIELDS');
  // Each costs a signature check.
  if (value.length > MAX_CHAIN_CERTIFICATES) throw new NitroError('NITRO_ERR_CHAIN_LENGTH');
  return value.map((entry) => byteString(entry, 1, MAX_CERTIFICATE_BYTES));
}

function byteString(value: unknown, least: number, most: number): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length < least || value.length > most) {
    throw new NitroError('NITRO_ERR_FIELDS');
  }
  return value;
}

/** Optional fields come as null, or not at all. */
function optionalBytes(value: unknown, least: number, most: number): Uint8Array | undefined {
  return value === null || value === undefined ? undefined : byteString(value, least, most);
}
