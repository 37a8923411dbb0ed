/** From the pinned root down to the leaf that signed the document (RFC 5280 6.1, without what Nitro does not use). */
import { equalBytes } from 'pq-websocket/kit';
import { parseCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { NitroError } from './errors.ts';
import { verifyEs384 } from './es384.ts';

export interface Moments {
  /** The document's timestamp. */
  readonly then: number;
  readonly now: number;
  /** How far `now` may be behind the hypervisor's clock, which stamps documents and the leaf. */
  readonly clockSkew: number;
}

/**
 * @param cabundle as AWS orders it: the root first, the leaf's issuer last
 * @throws {NitroError}
 */
export function checkChain(
  root: Uint8Array,
  cabundle: readonly Uint8Array[],
  leaf: Certificate,
  moments: Moments,
): void {
  // The root's own signature would prove nothing: its bytes are known.
  const [first, ...rest] = cabundle;
  if (first === undefined || !equalBytes(first, root)) throw new NitroError('NITRO_ERR_CHAIN_ROOT');
  let issuer = parseCertificate(root);
  checkValidity(issuer, moments);
  const authorities = rest.map(parseCertificate);
  authorities.forEach((authority, index) => {
    checkIssuer(issuer, authorities.length - index);
    checkLink(issuer, authority);
    checkValidity(authority, moments);
    issuer = authority;
  });
  checkIssuer(issuer, 0);
  checkLink(issuer, leaf);
  checkValidity(leaf, moments);
  if (leaf.ca) throw new NitroError('NITRO_ERR_CHAIN_CA');
  if (!leaf.maySign) throw new NitroError('NITRO_ERR_CHAIN_KEY_USAGE');
}

/** @param authoritiesBelow how many CA certificates stand between this one and the leaf: what pathLenConstraint counts */
function checkIssuer(issuer: Certificate, authoritiesBelow: number): void {
  if (!issuer.ca) throw new NitroError('NITRO_ERR_CHAIN_CA');
  if (!issuer.mayCertify) throw new NitroError('NITRO_ERR_CHAIN_KEY_USAGE');
  if (issuer.pathLength !== undefined && authoritiesBelow > issuer.pathLength) {
    throw new NitroError('NITRO_ERR_CHAIN_PATH_LENGTH');
  }
}

function checkLink(issuer: Certificate, subject: Certificate): void {
  if (!equalBytes(issuer.subject, subject.issuer)) throw new NitroError('NITRO_ERR_CHAIN_NAME');
  if (!verifyEs384(issuer.publicKey, subject.signed, subject.signature, 'der')) {
    throw new NitroError('NITRO_ERR_CHAIN_SIGNATURE');
  }
}

/** RFC 5280 4.1.2.5, both ends inclusive. A slow clock here must not refuse a leaf that was just made. */
function checkValidity({ notBefore, notAfter }: Certificate, { then, now, clockSkew }: Moments): void {
  const validThen = notBefore <= then && then <= notAfter;
  if (!validThen) throw new NitroError('NITRO_ERR_VALIDITY_THEN');
  const validNow = notBefore <= now + clockSkew && now <= notAfter;
  if (!validNow) throw new NitroError('NITRO_ERR_VALIDITY_NOW');
}
