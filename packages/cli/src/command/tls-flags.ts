/** The flags about TLS: read, and judged here, since OpenSSL's own words name no flag. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { WebSocketOptions } from 'pq-websocket/ws';
import { UsageError } from './exit-codes.ts';

export interface TlsFlags {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly insecureTls?: true;
}

export function addTlsFlags(command: Command): void {
  command
    .optionsGroup('TLS:')
    .addOption(new Option('--ca <file>', 'certificate authorities to trust, PEM, in place of the built-in ones'))
    .addOption(new Option('--cert <file>', 'client certificate chain, PEM'))
    .addOption(new Option('--key <file>', 'its private key, PEM'))
    .addOption(new Option('--passphrase <text>', 'of that key, or @file with it on its first line'))
    .addOption(
      new Option('--servername <name>', "the name to ask for and to expect in the certificate, in place of the URL's"),
    )
    .addOption(new Option('--insecure-tls', "accept any TLS certificate; the secure layer's checks stay as they are"));
}

/** What the flags are called on a command's own side of TLS. */
export interface FlagNames {
  readonly cert: string;
  readonly key: string;
}

/** @throws {UsageError} that names the flag */
export function tlsOptions(
  { ca, cert, key, passphrase, servername, insecureTls }: TlsFlags,
  names: FlagNames = { cert: '--cert', key: '--key' },
): WebSocketOptions {
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError(`${names.cert} and ${names.key} belong together`);
  if (passphrase !== undefined && key === undefined) throw new UsageError(`--passphrase is for ${names.key}`);
  const options = {
    ...(ca !== undefined && { ca: certificates('--ca', ca) }),
    ...(cert !== undefined && { cert: certificates(names.cert, cert) }),
    ...(key !== undefined && { key: readFile(names.key, key) }),
    ...(passphrase !== undefined && { passphrase: secretOf('--passphrase', passphrase) }),
  };
  if (options.key !== undefined) checkKey(names.key, options.key, options.passphrase);
  try {
    createSecureContext(options);
  } catch (error) {
    const isMismatch = /mismatch/i.test((error as Error).message);
    throw new UsageError(
      isMismatch
        ? `${names.key} is not the key of ${names.cert}`
        : `${names.cert} and ${names.key}: OpenSSL refuses them (${codeOf(error)})`,
    );
  }
  return {
    ...options,
    ...(servername !== undefined && { servername }),
    ...(insecureTls === true && { rejectUnauthorized: false }),
  };
}

/** OpenSSL passes over what it cannot read. */
function certificates(flag: string, file: string): string {
  const text = readFile(flag, file);
  const found = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    for (const pem of found) new X509Certificate(pem);
  } catch {
    throw new UsageError(`${flag}: '${file}' has a certificate that cannot be read`);
  }
  if (found.length === 0)
    throw new UsageError(`${flag}: '${file}' has no certificate in PEM (-----BEGIN CERTIFICATE-----)`);
  return text;
}

function checkKey(flag: string, key: string, passphrase: string | undefined): void {
  try {
    createPrivateKey({ key, format: 'pem', ...(passphrase !== undefined && { passphrase }) });
  } catch {
    if (passphrase === undefined && key.includes('ENCRYPTED'))
      throw new UsageError(`${flag} is encrypted: --passphrase TEXT, or @FILE`);
    throw new UsageError(
      passphrase === undefined
        ? `${flag} has no private key in PEM that can be read`
        : `--passphrase does not open ${flag}`,
    );
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

/** A value that may be a secret: given as it is, or in a file, where no list of processes shows it. */
export function secretOf(flag: string, value: string): string {
  if (!value.startsWith('@')) return value;
  return readFile(flag, value.slice(1)).split(/\r?\n/, 1)[0] ?? '';
}

/** @throws {UsageError} that names the flag, the file and the system's code */
export function readFile(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${flag}: '${file}' cannot be read (${codeOf(error)})`);
  }
}
