/** The gateway's own TLS: a post-quantum key exchange first, where this Node's OpenSSL has one. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Config } from './config.ts';
import { GatewayConfigError, pathText } from './config-error.ts';
import type { UpstreamTls } from './upstream-server.ts';

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

/** What node:tls takes, and the choice among several certificates. */
export type TlsOptions = SecureContextOptions & {
  readonly SNICallback?: (servername: string, done: (error: Error | null, context?: SecureContext) => void) => void;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
};

/**
 * What the files hold now.
 * @throws {GatewayConfigError} when a file cannot be read, or the two are no certificate with its key
 */
export function readTls(config: Config): TlsOptions | undefined {
  const { tls } = config.settings;
  if (tls === undefined) return undefined;
  const ca =
    tls.clientCa === undefined ? undefined : readPem(config, ['tls', 'clientCa'], tls.clientCa, 'certificates');
  const clients = ca && { ca, requestCert: true, rejectUnauthorized: true };
  const first = { ...readPair(config, ['tls'], tls), ...clients };
  if (tls.more.length === 0) return first;
  const contexts = [tls, ...tls.more].map((pair, index) => {
    const options = index === 0 ? first : { ...readPair(config, ['tls', 'more', index - 1], pair), ...clients };
    return { certificate: new X509Certificate(options.cert), context: createSecureContext(options) };
  });
  return {
    ...first,
    SNICallback: (servername, done) => {
      const named = contexts.find(({ certificate }) => certificate.checkHost(servername) !== undefined);
      done(null, (named ?? contexts[0])?.context);
    },
  };
}

/** @throws {GatewayConfigError} when a file cannot be read or holds something else */
export function upstreamTls(config: Config, route: number, index: number): UpstreamTls {
  const upstream = config.settings.routes[route]?.upstreams[index];
  if (upstream === undefined || typeof upstream === 'string') return {};
  const { ca, cert, key } = upstream;
  const at = (name: string): Path => ['routes', route, 'upstreams', index, name];
  return {
    ...(ca !== undefined && { ca: readPem(config, at('ca'), ca, 'certificates') }),
    ...(cert !== undefined && { cert: readPem(config, at('cert'), cert, 'a certificate') }),
    ...(key !== undefined && { key: readFile(config, at('key'), key) }),
  };
}

type Path = readonly (string | number)[];

function readPair(
  config: Config,
  path: Path,
  { cert, key }: { cert: string; key: string },
): SecureContextOptions & { cert: Buffer } {
  const options = {
    cert: readPem(config, [...path, 'cert'], cert, 'a certificate'),
    key: readFile(config, [...path, 'key'], key),
    ecdhCurve: keyExchangeGroups(),
    minVersion: 'TLSv1.2',
  } as const;
  try {
    createSecureContext(options);
  } catch {
    throw problem(config, [...path, 'key'], 'expected the private key of the certificate, in PEM');
  }
  return options;
}

function readPem(config: Config, path: Path, file: string, what: string): Buffer {
  const content = readFile(config, path, file);
  try {
    createSecureContext({ cert: content });
  } catch {
    throw problem(config, path, `expected ${what} in PEM`);
  }
  return content;
}

function readFile(config: Config, path: Path, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw problem(config, path, `expected a file that can be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function problem({ locate }: Config, path: Path, message: string): GatewayConfigError {
  return new GatewayConfigError([{ source: locate(path), path: pathText(path), message }]);
}
