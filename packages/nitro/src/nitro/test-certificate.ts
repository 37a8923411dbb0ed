/** Makes certificates for test roots: what `certificate.ts` reads, written. No product code path leads here. */
import { p384 } from '@noble/curves/nist.js';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from '@peculiar/asn1-x509';
import type { KeyUsageFlags } from '@peculiar/asn1-x509';

const COMMON_NAME = '2.5.4.3';
const SERIAL_BYTES = 16;

export interface TestKey {
  readonly secretKey: Uint8Array;
  /** Uncompressed. */
  readonly publicKey: Uint8Array;
}

export function testKey(): TestKey {
  const secretKey = p384.utils.randomSecretKey();
  return { secretKey, publicKey: p384.getPublicKey(secretKey, false) };
}

export interface CertificateSpec {
  readonly subject: string;
  readonly issuer: string;
  /** Whose certificate it is. */
  readonly publicKey: Uint8Array;
  /** Who signs it. */
  readonly issuerKey: TestKey;
  /** Milliseconds since 1970, cut to seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly ca: boolean;
  readonly pathLength?: number | undefined;
  /** Sum of `KeyUsageFlags`. */
  readonly usage: number;
  /** Changes the certificate before it is signed. */
  readonly edit?: ((certificate: Certificate) => void) | undefined;
}

/** DER. */
export function signCertificate(spec: CertificateSpec): Uint8Array {
  const certificate = new Certificate({
    tbsCertificate: new TBSCertificate({
      version: Version.v3,
      serialNumber: serialNumber(),
      signature: ecdsaWithSha384(),
      issuer: commonName(spec.issuer),
      validity: new Validity({ notBefore: new Date(spec.notBefore), notAfter: new Date(spec.notAfter) }),
      subject: commonName(spec.subject),
      subjectPublicKeyInfo: new SubjectPublicKeyInfo({
        algorithm: new AlgorithmIdentifier({
          algorithm: '1.2.840.10045.2.1',
          parameters: Uint8Array.of(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22).buffer,
        }),
        subjectPublicKey: Uint8Array.from(spec.publicKey).buffer,
      }),
      extensions: new Extensions([basicConstraints(spec.ca, spec.pathLength), keyUsage(spec.usage)]),
    }),
    signatureAlgorithm: ecdsaWithSha384(),
  });
  spec.edit?.(certificate);
  const signed = new Uint8Array(AsnConvert.serialize(certificate.tbsCertificate));
  certificate.signatureValue = Uint8Array.from(
    p384.sign(signed, spec.issuerKey.secretKey, { format: 'der', lowS: false }),
  ).buffer;
  return new Uint8Array(AsnConvert.serialize(certificate));
}

function basicConstraints(ca: boolean, pathLength?: number): Extension {
  const value = new BasicConstraints({ cA: ca, ...(pathLength !== undefined && { pathLenConstraint: pathLength }) });
  return extension(id_ce_basicConstraints, true, AsnConvert.serialize(value));
}

export function keyUsage(flags: KeyUsageFlags | number): Extension {
  return extension(id_ce_keyUsage, true, AsnConvert.serialize(new KeyUsage(flags)));
}

export function extension(id: string, critical: boolean, value: ArrayBuffer): Extension {
  return new Extension({ extnID: id, critical, extnValue: new OctetString(value) });
}

export function commonName(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: COMMON_NAME, value })])]);
}

function ecdsaWithSha384(): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.3' });
}

/** RFC 5280 4.1.2.2: positive, at most 20 bytes. */
function serialNumber(): ArrayBuffer {
  const serial = crypto.getRandomValues(new Uint8Array(SERIAL_BYTES));
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return serial.buffer;
}
