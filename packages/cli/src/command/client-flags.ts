/** What `connect` and `doctor` share: flags for the upgrade request, for TLS and for the secure layer. */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { PcrValue } from 'pq-websocket-nitro';
import type { ClientAuthenticationOptions } from 'pq-websocket';
import type { WebSocketOptions } from 'pq-websocket/ws';
import { UsageError } from './exit-codes.ts';

/** As commander gives them. */
export interface ClientFlags {
  readonly subprotocol?: readonly string[];
  readonly header?: readonly string[];
  readonly origin?: string;
  readonly pin?: readonly string[];
  readonly profile?: 'v1' | 'yellowpages';
  readonly attestation?: 'nitro' | 'none';
  readonly pcr?: readonly string[];
  readonly context?: string;
  readonly handshakeTimeout: number;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly insecureTls?: true;
}

/** A connection to be made. */
export interface Target {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly options: WebSocketOptions;
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** @param least of the integer that an option takes */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected an integer from ${least} to ${most}.`);
  };
}

/** An option that may be given several times. */
export function repeatable(flags: string, help: string): Option {
  return new Option(flags, help).argParser(collect);
}

export function addClientFlags(command: Command): void {
  command
    .optionsGroup('Upgrade request:')
    .addOption(repeatable('-s, --subprotocol <name>', 'offer a subprotocol; may be repeated, the first is preferred'))
    .addOption(
      repeatable('-H, --header <line>', "send a header, 'Name: value', or those in a file, @file; may be repeated"),
    )
    .addOption(new Option('--origin <origin>', 'the Origin header'))
    .optionsGroup('Secure layer:')
    .addOption(
      repeatable(
        '-p, --pin <key>',
        "demand a server key: sha256:…, base64, or a public key's PEM file; may be repeated",
      ),
    )
    .addOption(new Option('--profile <name>', 'the wire profile (default: v1)').choices(['v1', 'yellowpages']))
    .addOption(
      new Option(
        '--attestation <how>',
        'judge the attestation document, or accept whatever server there is; yellowpages needs one of the two',
      ).choices(['nitro', 'none']),
    )
    .addOption(
      repeatable(
        '--pcr <index=hex>',
        'with --attestation nitro: what a PCR must be; several values of one index are alternatives',
      ),
    )
    .addOption(new Option('--context <text>', 'bound into the key by both ends'))
    .addOption(
      new Option('--handshake-timeout <ms>', 'for the upgrade and for the secure handshake')
        .argParser(integer(1, 2 ** 31 - 1))
        .default(10_000),
    )
    .optionsGroup('TLS:')
    .addOption(new Option('--ca <file>', 'certificate authorities to trust, PEM, in place of the built-in ones'))
    .addOption(new Option('--cert <file>', 'client certificate chain, PEM'))
    .addOption(new Option('--key <file>', 'its private key, PEM'))
    .addOption(
      new Option('--servername <name>', "the name to ask for and to expect in the certificate, in place of the URL's"),
    )
    .addOption(new Option('--insecure-tls', "accept any TLS certificate; the secure layer's checks stay as they are"))
    .optionsGroup('Options:');
}

/**
 * @param address a URL; without a scheme it is wss:, or ws: on this machine
 * @throws {UsageError}
 */
export async function targetOf(address: string, flags: ClientFlags): Promise<Target> {
  const url = urlOf(address);
  const tls = tlsOptions(flags);
  if (url.protocol === 'ws:' && Object.keys(tls).length > 0)
    throw new UsageError('--ca, --cert, --key, --servername and --insecure-tls are for wss: URLs');
  return {
    url: url.href,
    protocols: flags.subprotocol ?? [],
    options: {
      // Node takes several values of one name; the types of `ws` do not say so.
      headers: headersOf(flags.header) as unknown as Record<string, string>,
      ...(flags.origin !== undefined && { origin: flags.origin }),
      ...(flags.profile !== undefined && { profile: flags.profile }),
      ...(flags.context !== undefined && { context: flags.context }),
      handshakeTimeout: flags.handshakeTimeout,
      ...(await authentication(flags)),
      ...tls,
    },
  };
}

function urlOf(address: string): URL {
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(address);
  const isHere = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])([:/?]|$)/i.test(address);
  let url: URL;
  try {
    url = new URL(hasScheme ? address : `${isHere ? 'ws' : 'wss'}://${address}`);
  } catch {
    throw new UsageError(`'${address}' is no URL: expected wss://host[:port]/path`);
  }
  const scheme = { 'http:': 'ws:', 'https:': 'wss:' }[url.protocol] ?? url.protocol;
  if (scheme !== 'ws:' && scheme !== 'wss:')
    throw new UsageError(`'${url.protocol}' is no scheme of WebSockets: expected ws: or wss:`);
  return new URL(scheme + url.href.slice(url.protocol.length));
}

function headersOf(given: readonly string[] = []): Record<string, string[]> {
  const headers: Record<string, string[]> = {};
  const lines = given.flatMap((item) =>
    item.startsWith('@')
      ? readFile('--header', item.slice(1))
          .split(/\r?\n/)
          .filter((line) => line.trim() !== '')
      : [item],
  );
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    // Its value may be a credential.
    if (name === undefined || value === undefined) throw new UsageError("--header: expected 'Name: value'");
    (headers[name] ??= []).push(value);
  }
  return headers;
}

async function authentication({
  pin = [],
  profile,
  attestation,
  pcr = [],
}: ClientFlags): Promise<ClientAuthenticationOptions> {
  if (profile === 'yellowpages' && attestation === undefined) {
    throw new UsageError(
      '--profile yellowpages needs --attestation nitro (with --pcr), or --attestation none: nothing else says who the server is',
    );
  }
  if (pcr.length > 0 && attestation !== 'nitro') throw new UsageError('--pcr needs --attestation nitro');
  return {
    ...(pin.length > 0 && { serverKeys: pin.map(readPin) }),
    ...(attestation === 'nitro' && { verifyAttestation: await nitroVerifier(pcr) }),
    // v1 has no `false`: there a document that nobody asks for is not judged.
    ...(attestation === 'none' && profile === 'yellowpages' && { verifyAttestation: false as const }),
  };
}

async function nitroVerifier(
  pcr: readonly string[],
): Promise<NonNullable<ClientAuthenticationOptions['verifyAttestation']>> {
  const { verifyNitro } = await import('pq-websocket-nitro').catch(() => {
    throw new UsageError('--attestation nitro needs the package pq-websocket-nitro: npm install pq-websocket-nitro');
  });
  try {
    return verifyNitro({ pcrs: pcrsOf(pcr) });
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`--pcr: ${(error as Error).message}`);
  }
}

function readPin(pin: string): string {
  return !pin.startsWith('sha256:') && existsSync(pin) ? readFile('--pin', pin) : pin;
}

function pcrsOf(given: readonly string[]): Record<number, PcrValue[]> {
  const pcrs: Record<number, PcrValue[]> = {};
  for (const item of given) {
    const [, index, value] = /^(\d+)=([0-9a-f]+)$/i.exec(item) ?? [];
    if (index === undefined || value === undefined)
      throw new UsageError('--pcr: expected an index, = and 96 hexadecimal digits');
    (pcrs[Number(index)] ??= []).push(value);
  }
  return pcrs;
}

function tlsOptions({ ca, cert, key, servername, insecureTls }: ClientFlags): WebSocketOptions {
  if ((cert === undefined) !== (key === undefined)) throw new UsageError('--cert and --key belong together');
  return {
    ...(ca !== undefined && { ca: readFile('--ca', ca) }),
    ...(cert !== undefined && { cert: readFile('--cert', cert) }),
    ...(key !== undefined && { key: readFile('--key', key) }),
    ...(servername !== undefined && { servername }),
    ...(insecureTls === true && { rejectUnauthorized: false }),
  };
}

function readFile(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${flag}: '${file}' cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
