/** The gateway's own TLS: a post-quantum key exchange first, where this Node's OpenSSL has one. */
import { readFileSync } from 'node:fs';
import type { SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Config } from './config.ts';
import { GatewayConfigError } from './config-error.ts';

const CLASSICAL = 'X25519:prime256v1:secp384r1';
/** Draft-ietf-tls-ecdhe-mlkem: OpenSSL 3.5 and later. */
const HYBRID = `X25519MLKEM768:${CLASSICAL}`;

/** Groups in the order of preference. */
export function keyExchangeGroups(): string {
  try {
    createSecureContext({ ecdhCurve: HYBRID });
    return HYBRID;
  } catch {
    return CLASSICAL;
  }
}

/**
 * What the files hold now.
 * @throws {GatewayConfigError} when a file cannot be read, or the two are no certificate with its key
 */
export function readTls({ settings, locate }: Config): SecureContextOptions | undefined {
  const { tls } = settings;
  if (tls === undefined) return undefined;
  const problem = (key: 'cert' | 'key', message: string): GatewayConfigError =>
    new GatewayConfigError([{ source: locate(['tls', key]), path: `tls.${key}`, message }]);
  const read = (key: 'cert' | 'key'): Buffer => {
    try {
      return readFileSync(tls[key]);
    } catch (error) {
      throw problem(key, `expected a file that can be read (${(error as NodeJS.ErrnoException).code})`);
    }
  };
  const [cert, key] = [read('cert'), read('key')];
  const options = { cert, key, ecdhCurve: keyExchangeGroups(), minVersion: 'TLSv1.2' } as const;
  try {
    createSecureContext({ cert });
  } catch {
    throw problem('cert', 'expected a certificate in PEM');
  }
  try {
    createSecureContext(options);
  } catch {
    throw problem('key', 'expected the private key of the certificate, in PEM');
  }
  return options;
}
