/** The gateway's own TLS: a post-quantum key exchange first, where this Node's OpenSSL has one. */
import { X509Certificate } from 'node:crypto';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Config } from './config.ts';
import type { Path, Problems } from './config-error.ts';
import { errorAt, readNamed } from './config-error.ts';
import type { GatewaySettings } from './schema.ts';
import type { UpstreamTls } from './upstream-server.ts';

const CLASSICAL = 'X25519:prime256v1:secp384r1';
/** Draft-ietf-tls-ecdhe-mlkem: OpenSSL 3.5 and later. */
const HYBRID = `X25519MLKEM768:${CLASSICAL}`;

let groups: string | undefined;

/** Groups in the order of preference, of this process's OpenSSL. */
export function keyExchangeGroups(): string {
  groups ??= hasHybrid() ? HYBRID : CLASSICAL;
  return groups;
}

function hasHybrid(): boolean {
  try {
    createSecureContext({ ecdhCurve: HYBRID });
    return true;
  } catch {
    return false;
  }
}

/** What a listener's certificates come to. */
export interface ListenerTls {
  readonly options: SecureContextOptions & { readonly requestCert: boolean; readonly rejectUnauthorized: boolean };
  /** The certificate for the name that a client asks for; undefined for the first. */
  choose(servername: string): SecureContext | undefined;
}

/** What the files hold now. @returns undefined where one cannot be read, or two are no certificate with its key */
export function readTls(
  config: Config,
  path: Path,
  tls: NonNullable<GatewaySettings['tls']>,
  problems: Problems,
): ListenerTls | undefined {
  const { clientCa } = tls;
  const ca = clientCa && problems.collect(() => readPem(config, [...path, 'clientCa'], clientCa, 'certificates'));
  const isDemanded = clientCa !== undefined;
  const clients = { ...(ca !== undefined && { ca }), requestCert: isDemanded, rejectUnauthorized: isDemanded };
  const pairs = [tls, ...tls.more].map((pair, index) =>
    readPair(config, index === 0 ? path : [...path, 'more', index - 1], pair, clients, problems),
  );
  if ((isDemanded && ca === undefined) || !pairs.every((pair) => pair !== undefined)) return undefined;
  const [first] = pairs as [(typeof pairs)[0], ...typeof pairs];
  return {
    options: { ...first.options, ...clients },
    choose: (servername) => pairs.find(({ certificate }) => certificate.checkHost(servername) !== undefined)?.context,
  };
}

/** What the gateway shows a backend, and whom it believes about it. */
export function upstreamTls(config: Config, route: number, index: number, problems: Problems): UpstreamTls {
  const upstream = config.settings.routes[route]?.upstreams[index];
  if (upstream === undefined || typeof upstream === 'string') return {};
  const { ca, cert, key } = upstream;
  const at = (name: string): Path => ['routes', route, 'upstreams', index, name];
  const read = {
    ca: ca && problems.collect(() => readPem(config, at('ca'), ca, 'certificates')),
    cert: cert && problems.collect(() => readPem(config, at('cert'), cert, 'a certificate')),
    key: key && problems.collect(() => readNamed(config, at('key'), key)),
  };
  return {
    ...(read.ca && { ca: read.ca }),
    ...(read.cert && { cert: read.cert }),
    ...(read.key && { key: read.key }),
  };
}

/** A certificate with its key, as it is for those who ask for it by name. */
interface Pair {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly certificate: X509Certificate;
}

function readPair(
  config: Config,
  path: Path,
  files: { readonly cert: string; readonly key: string },
  clients: SecureContextOptions,
  problems: Problems,
): Pair | undefined {
  const cert = problems.collect(() => readPem(config, [...path, 'cert'], files.cert, 'a certificate'));
  const key = problems.collect(() => readNamed(config, [...path, 'key'], files.key));
  if (cert === undefined || key === undefined) return undefined;
  const options = { cert, key, ecdhCurve: keyExchangeGroups(), minVersion: 'TLSv1.2' } as const;
  return problems.collect(() => {
    try {
      const context = createSecureContext({ ...options, ...clients });
      return { options, context, certificate: new X509Certificate(cert) };
    } catch {
      throw errorAt(config, [...path, 'key'], 'expected the private key of the certificate, in PEM');
    }
  });
}

function readPem(config: Config, path: Path, file: string, what: string): Buffer {
  const content = readNamed(config, path, file);
  try {
    createSecureContext({ cert: content });
  } catch {
    throw errorAt(config, path, `expected ${what} in PEM`);
  }
  return content;
}
