/** An enclave that is none: for tests and local development, under a root made at run time. */
import { KeyUsageFlags } from '@peculiar/asn1-x509';
import { fromBase64, toBase64 } from 'pq-websocket/kit';
import { described, optionsObject, refuseUnknown } from 'pq-websocket/kit';
import { expectedUserData, pcrBytes } from './options.ts';
import { MAX_PCR_INDEX, PCR_BYTES } from './payload.ts';
import { signCertificate, testKey } from './test-certificate.ts';
import type { TestKey } from './test-certificate.ts';
import { signDocument } from './test-document.ts';
import type { PcrValue } from './types.ts';

/** In every test root's name, and demanded of it: no other root passes for one, nor it for another. */
export const TEST_ROOT_NAME = 'pq-websocket TEST ROOT, no enclave, not AWS';

const DAY = 86_400_000;
const LEAF_LIFETIME = 10_800_000;
/** The registers that a real document has at least. */
const USUAL_PCRS = 16;

/** What a stand-in for an enclave measures and signs with. */
export interface TestEnclaveOptions {
  /** By index, 0 to 31. PCR0 to PCR2 are 48 bytes of 0xe0, 0xe1 and 0xe2 unless set, the others up to 15 zero. */
  readonly pcrs?: Readonly<Record<number, PcrValue>> | undefined;
  /** Default `'test-enclave'`. */
  readonly moduleId?: string | undefined;
  /** The time, in milliseconds since 1970. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** A stand-in for an enclave: makes documents under its own root. */
export interface TestEnclave {
  /** DER, for `verifyNitroForTesting`. New for each enclave. */
  readonly rootCertificate: Uint8Array;
  /** The same as PEM. */
  readonly rootPem: string;
  readonly moduleId: string;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** A document over `userData`, 1 to 512 bytes, with the present time. */
  attest(userData: Uint8Array): Uint8Array;
}

/** @throws {TypeError | RangeError} that names the option */
export function createTestEnclave(options: TestEnclaveOptions = {}): TestEnclave {
  const given: TestEnclaveOptions = optionsObject('createTestEnclave', options);
  refuseUnknown('createTestEnclave', given, ['pcrs', 'moduleId', 'now']);
  const { moduleId = 'test-enclave', now = Date.now } = given;
  const pcrs = registers(given.pcrs ?? {});
  const rootKey = testKey();
  const born = now();
  const rootCertificate = authority(TEST_ROOT_NAME, rootKey, TEST_ROOT_NAME, rootKey, born, undefined);
  const instance = 'pq-websocket test instance';
  const instanceKey = testKey();
  const instanceCertificate = authority(instance, instanceKey, TEST_ROOT_NAME, rootKey, born, 0);

  return {
    rootCertificate,
    rootPem: toPem(rootCertificate),
    moduleId,
    pcrs,
    attest(userData) {
      const attested = expectedUserData('attest', userData);
      const timestamp = now();
      // A leaf for each document, so that a server may run for longer than leaves live.
      const key = testKey();
      const certificate = signCertificate({
        subject: moduleId,
        issuer: instance,
        publicKey: key.publicKey,
        issuerKey: instanceKey,
        notBefore: timestamp - LEAF_LIFETIME / 2,
        notAfter: timestamp + LEAF_LIFETIME / 2,
        ca: false,
        usage: KeyUsageFlags.digitalSignature,
      });
      const payload = new Map<string, unknown>([
        ['module_id', moduleId],
        ['digest', 'SHA384'],
        ['timestamp', timestamp],
        ['pcrs', pcrs],
        ['certificate', certificate],
        ['cabundle', [rootCertificate, instanceCertificate]],
        ['public_key', null],
        ['user_data', attested],
        ['nonce', null],
      ]);
      return signDocument({ payload, secretKey: key.secretKey });
    },
  };
}

function authority(
  subject: string,
  key: TestKey,
  issuer: string,
  issuerKey: TestKey,
  born: number,
  pathLength: number | undefined,
): Uint8Array {
  return signCertificate({
    subject,
    issuer,
    publicKey: key.publicKey,
    issuerKey,
    notBefore: born - DAY,
    notAfter: born + 3650 * DAY,
    ca: true,
    pathLength,
    usage: KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
  });
}

function registers(given: Readonly<Record<number, PcrValue>>): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Uint8Array>();
  for (let index = 0; index < USUAL_PCRS; index += 1) {
    values.set(index, new Uint8Array(PCR_BYTES).fill(index <= 2 ? 0xe0 + index : 0));
  }
  for (const [name, value] of Object.entries(given)) {
    const index = Number(name);
    if (!Number.isInteger(index) || index < 0 || index > MAX_PCR_INDEX) {
      throw new RangeError(
        `createTestEnclave: option 'pcrs' takes indexes from 0 to ${MAX_PCR_INDEX}, got another name`,
      );
    }
    values.set(index, pcrBytes(`createTestEnclave: option 'pcrs.${index}'`, value));
  }
  return values;
}

const PEM = /^\s*-----BEGIN CERTIFICATE-----([\sA-Za-z0-9+/=]+)-----END CERTIFICATE-----\s*$/;

function toPem(der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

/** DER of a certificate given as PEM or DER. @throws {TypeError} */
export function certificateBytes(where: string, certificate: unknown): Uint8Array {
  if (certificate instanceof Uint8Array) return Uint8Array.from(certificate);
  const body = typeof certificate === 'string' ? PEM.exec(certificate)?.[1] : undefined;
  const der = body === undefined ? undefined : fromBase64(body.replace(/\s/g, ''));
  if (der === undefined) {
    throw new TypeError(`${where}: option 'root' must be a certificate as DER or PEM, got ${described(certificate)}`);
  }
  return der;
}
