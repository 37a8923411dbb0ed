/** One X.509 certificate (RFC 5280), read by @peculiar/asn1-x509 and narrowed to what Nitro's chain consists of. */
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  BasicConstraints,
  Certificate as Asn1Certificate,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  KeyUsage,
  KeyUsageFlags,
  Version,
} from '@peculiar/asn1-x509';
import type { AlgorithmIdentifier, Extension, Name } from '@peculiar/asn1-x509';
import { equalBytes } from 'pq-websocket/kit';
import { NitroError } from './errors.ts';
import { isP384PublicKey } from './es384.ts';

const EC_PUBLIC_KEY = '1.2.840.10045.2.1';
const ECDSA_WITH_SHA384 = '1.2.840.10045.4.3.3';
/** OBJECT IDENTIFIER secp384r1, 1.3.132.0.34, as DER. */
const SECP384R1 = Uint8Array.of(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22);
/** A SEQUENCE's head with a length of two bytes, which every certificate with a P-384 key and signature needs. */
const HEAD_BYTES = 4;

export interface Certificate {
  /** DER of the names: two names are one when their bytes are (RFC 5280 7.1 allows more; Nitro needs none of it). */
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** A point of P-384, uncompressed. */
  readonly publicKey: Uint8Array;
  readonly ca: boolean;
  readonly pathLength: number | undefined;
  /** KeyUsage; without that extension, which RFC 5280 4.2.1.3 demands of every CA, a key may do neither. */
  readonly mayCertify: boolean;
  readonly maySign: boolean;
  /** TBSCertificate as it came, and the signature over it, DER. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** @throws {NitroError} */
export function parseCertificate(der: Uint8Array): Certificate {
  try {
    return parse(der);
  } catch (error) {
    // The library's messages may quote the certificate.
    throw error instanceof NitroError ? error : new NitroError('NITRO_ERR_CERTIFICATE');
  }
}

function parse(der: Uint8Array): Certificate {
  const parsed = AsnConvert.parse(der, Asn1Certificate);
  const { tbsCertificate: body, tbsCertificateRaw: signed } = parsed;
  // The library ignores what follows, and takes BER's indefinite length.
  const length = HEAD_BYTES + new DataView(der.buffer, der.byteOffset).getUint16(2);
  if (signed === undefined || length !== der.length || body.version !== Version.v3) {
    throw new NitroError('NITRO_ERR_CERTIFICATE');
  }
  checkSignatureAlgorithm(body.signature);
  checkSignatureAlgorithm(parsed.signatureAlgorithm);
  return {
    subject: encodeName(body.subject),
    issuer: encodeName(body.issuer),
    notBefore: body.validity.notBefore.getTime().getTime(),
    notAfter: body.validity.notAfter.getTime().getTime(),
    publicKey: publicKey(
      body.subjectPublicKeyInfo.algorithm,
      new Uint8Array(body.subjectPublicKeyInfo.subjectPublicKey),
    ),
    ...extensions(body.extensions ?? []),
    signed: new Uint8Array(signed),
    signature: new Uint8Array(parsed.signatureValue),
  };
}

function encodeName(name: Name): Uint8Array {
  return new Uint8Array(AsnConvert.serialize(name));
}

/**
 * RFC 5758 3.2: no parameters, not even NULL, which the library gives as null. Both places that name the algorithm are
 * checked (RFC 5280 4.1.1.2).
 */
function checkSignatureAlgorithm({ algorithm, parameters }: AlgorithmIdentifier): void {
  if (algorithm !== ECDSA_WITH_SHA384 || parameters !== undefined) {
    throw new NitroError('NITRO_ERR_CERTIFICATE_ALGORITHM');
  }
}

function publicKey({ algorithm, parameters }: AlgorithmIdentifier, point: Uint8Array): Uint8Array {
  const onP384 = algorithm === EC_PUBLIC_KEY && equalBytes(new Uint8Array(parameters ?? new ArrayBuffer(0)), SECP384R1);
  if (!onP384 || !isP384PublicKey(point)) throw new NitroError('NITRO_ERR_CERTIFICATE_ALGORITHM');
  return point;
}

function extensions(list: readonly Extension[]): Pick<Certificate, 'ca' | 'pathLength' | 'mayCertify' | 'maySign'> {
  const seen = new Set<string>();
  let constraints = new BasicConstraints();
  let usage = 0;
  for (const { extnID: id, critical, extnValue } of list) {
    if (seen.has(id)) throw new NitroError('NITRO_ERR_EXTENSION_REPEATED');
    seen.add(id);
    if (id === id_ce_basicConstraints) constraints = AsnConvert.parse(extnValue.buffer, BasicConstraints);
    else if (id === id_ce_keyUsage) usage = AsnConvert.parse(extnValue.buffer, KeyUsage).toNumber();
    else if (critical) throw new NitroError('NITRO_ERR_EXTENSION_CRITICAL');
  }
  return {
    ca: constraints.cA,
    pathLength: constraints.pathLenConstraint,
    mayCertify: (usage & KeyUsageFlags.keyCertSign) !== 0,
    maySign: (usage & KeyUsageFlags.digitalSignature) !== 0,
  };
}
