/** What `connect` and `doctor` share: flags for the upgrade request, for TLS and for the secure layer. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import type { PcrValue } from 'pq-websocket-nitro';
import type { ClientAuthenticationOptions } from 'pq-websocket';
import type { WebSocketOptions } from 'pq-websocket/ws';
import { UsageError } from './exit-codes.ts';
import { inFlags } from './option-flags.ts';
import { proxyFor } from './proxy.ts';
import type { TlsFlags } from './tls-flags.ts';
import { addTlsFlags, readFile, secretOf, tlsOptions } from './tls-flags.ts';

/** As commander gives them. */
export interface ClientFlags extends TlsFlags {
  readonly subprotocol?: readonly string[];
  readonly header?: readonly string[];
  readonly origin?: string;
  readonly pin?: readonly string[];
  readonly identity?: string;
  readonly profile?: 'v1' | 'yellowpages';
  readonly attestation?: 'nitro' | 'none';
  readonly pcr?: readonly string[];
  readonly context?: string;
  readonly handshakeTimeout: number;
  readonly auth?: string;
  /** False: `--no-proxy`. */
  readonly proxy?: string | false;
  readonly follow?: true;
}

/** A connection to be made. */
export interface Target {
  readonly url: string;
  readonly protocols: readonly string[];
  readonly options: WebSocketOptions;
  /** Which proxy leads to a URL; undefined: none. */
  readonly proxy?: (url: URL) => URL | undefined;
  /** Whether redirects are followed. */
  readonly follows?: boolean;
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
    .addOption(new Option('--auth <user:password>', 'basic authentication, or @file with both on its first line'))
    .addOption(
      new Option('--proxy <url>', 'an HTTP proxy (default: http_proxy, https_proxy and no_proxy of the environment)'),
    )
    .addOption(new Option('--no-proxy', 'no proxy, whatever the environment says'))
    .addOption(new Option('--follow', 'follow redirects, up to 5, never from wss: to ws:'))
    .optionsGroup('Secure layer:')
    .addOption(
      repeatable(
        '-p, --pin <key>',
        "demand a server key: sha256:…, base64, or a public key's PEM file; may be repeated",
      ),
    )
    .addOption(new Option('--identity <file>', 'who this client is: its secret key, as keygen writes it'))
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
    );
  addTlsFlags(command);
  command.optionsGroup('Options:');
}

/**
 * @param address a URL; without a scheme it is wss:, or ws: on this machine
 * @throws {UsageError}
 */
export async function targetOf(address: string, flags: ClientFlags): Promise<Target> {
  const url = urlOf(address);
  const tls = tlsOptions(flags);
  const proxy = (to: URL): URL | undefined => proxyFor(to, flags.proxy, process.env);
  // Now, so that what is wrong with it is said before anything is connected.
  proxy(url);
  const isPlain = url.protocol.replace('+unix', '') === 'ws:';
  if (isPlain && Object.keys(tls).length > 0 && flags.follow !== true)
    throw new UsageError('--ca, --cert, --key, --servername and --insecure-tls are for wss: URLs');
  return {
    url: url.href,
    proxy,
    follows: flags.follow === true,
    protocols: flags.subprotocol ?? [],
    options: {
      // Node takes several values of one name; the types of `ws` do not say so.
      headers: headersOf(flags) as unknown as Record<string, string>,
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
  // As the gateway writes them, and as npm ws does.
  const [, secure, socket] = /^(?:ws(s?)\+)?unix:(.+)$/.exec(address) ?? [];
  if (socket !== undefined) {
    if (!socket.startsWith('/'))
      throw new UsageError(`'${address}' is no unix socket: expected unix:/path[:/path of the URL]`);
    return new URL(`ws${secure ?? ''}+unix:${socket}`);
  }
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

function headersOf({ header: given = [], auth }: ClientFlags): Record<string, string[]> {
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
  if (auth !== undefined) {
    if (Object.keys(headers).some((name) => name.toLowerCase() === 'authorization'))
      throw new UsageError('--auth and an Authorization of --header: give one of the two');
    const credentials = secretOf('--auth', auth);
    if (!credentials.includes(':')) throw new UsageError('--auth: expected user:password');
    headers['Authorization'] = [`Basic ${Buffer.from(credentials).toString('base64')}`];
  }
  return headers;
}

/** @throws {UsageError} for what is no secret key */
export async function readIdentity(file: string): Promise<string> {
  const pem = readFile('--identity', file);
  const { readSecretKeyPem } = await import('pq-websocket/keys');
  try {
    readSecretKeyPem(pem).fill(0);
  } catch (error) {
    throw new UsageError(`--identity: '${file}' is ${(error as Error).message}; \`pq-websocket keygen\` writes one`);
  }
  return pem;
}

async function authentication({
  pin = [],
  identity,
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
    ...(identity !== undefined && { identity: await readIdentity(identity) }),
    ...(attestation === 'nitro' && { verifyAttestation: await nitroVerifier(pcr) }),
    // v1 has no `false`: without a verifier its document is not judged.
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
    throw error instanceof UsageError ? error : new UsageError(inFlags((error as Error).message));
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
