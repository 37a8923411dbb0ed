/** Identity and attestation as a configuration names them: a key file, or a program or URL that keeps the key elsewhere. */
import { spawn } from 'node:child_process';
import { readPublicKeyPem, readSecretKeyPem } from 'pq-websocket/keys';
import type { ServerAuthenticationOptions, ServerSocketOptions, WorkContext } from 'pq-websocket/server';
import type { Config } from './config.ts';
import type { Path, Problems } from './config-error.ts';
import { errorAt, problemAt, readNamed } from './config-error.ts';
import type { GatewaySettings } from './schema.ts';

/** Bytes of a signature or a document that are taken; a hello has room for far less. */
const MAX_ANSWER = 1024 * 1024;

/** @param work aborted when the connection that asked has ended: then the answer is of no use */
type Outside = (bytes: Uint8Array, work: WorkContext) => Promise<Uint8Array>;

/** @throws {GatewayConfigError} when a key file cannot be read or holds no such key */
export function serverAuthentication(config: Config): ServerAuthenticationOptions {
  const { identity, attestation, timeouts } = config.settings;
  const attester = attestation && outside(attestation, timeouts.handshake);
  return {
    ...(identity && { identity: identityOption(config, identity, timeouts.handshake) }),
    ...(attester && { attest: (_transcriptHash, { userData, signal }) => attester(userData, { signal }) }),
  };
}

const PUBLIC_KEY = /-----BEGIN PUBLIC KEY-----[^]*?-----END PUBLIC KEY-----/g;

/** Whom the servers let in. What is wrong with several files is said at once. */
export function clientKeysOption(
  config: Config,
  problems: Problems,
): Pick<ServerSocketOptions, 'clientKeys' | 'clientIdentity'> {
  const { clientKeys } = config.settings;
  if (clientKeys === undefined) return {};
  const { pins, files, demand } = clientKeys;
  if (pins.length + files.length === 0)
    problems.add(problemAt(config, ['clientKeys'], 'expected at least one of pins and files: else nobody gets in'));
  const keys = files.flatMap((file, index) => {
    const path = ['clientKeys', 'files', index];
    return (
      problems.collect(() => {
        const found = readKey(config, path, file).match(PUBLIC_KEY) ?? [];
        checked(config, path, 'ML-DSA-65 public keys in PEM', () => {
          if (found.length === 0) throw new TypeError('no public key');
          for (const pem of found) readPublicKeyPem(pem);
        });
        return [...found];
      }) ?? []
    );
  });
  return { clientKeys: [...pins, ...keys], clientIdentity: demand ? 'demand' : 'accept' };
}

function identityOption(
  config: Config,
  identity: NonNullable<GatewaySettings['identity']>,
  timeout: number,
): NonNullable<ServerAuthenticationOptions['identity']> {
  if ('key' in identity) {
    const path = ['identity', 'key'];
    const pem = readKey(config, path, identity.key);
    checked(config, path, 'an ML-DSA-65 secret key in PEM', () => {
      readSecretKeyPem(pem).fill(0);
    });
    return pem;
  }
  const sign = outside(identity, timeout);
  if (identity.publicKey === undefined) return sign;
  const path = ['identity', 'publicKey'];
  const pem = readKey(config, path, identity.publicKey);
  checked(config, path, 'an ML-DSA-65 public key in PEM', () => {
    readPublicKeyPem(pem);
  });
  return { sign, publicKey: pem };
}

function readKey(config: Config, path: Path, file: string): string {
  return readNamed(config, path, file).toString('utf8');
}

function checked(config: Config, path: Path, expected: string, read: () => void): void {
  try {
    read();
  } catch {
    throw errorAt(config, path, `expected ${expected}`);
  }
}

function outside(where: { readonly command: readonly string[] } | { readonly url: string }, timeout: number): Outside {
  return 'command' in where
    ? (bytes, { signal }) => askCommand(where.command, bytes, timeout, signal)
    : (bytes, { signal }) => askUrl(where.url, bytes, timeout, signal);
}

/** Without a shell: the arguments are what the program gets. */
function askCommand(
  [program = '', ...args]: readonly string[],
  bytes: Uint8Array,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], timeout, killSignal: 'SIGKILL' });
    // Over when the program is, and not before: so many are counted as there are.
    const end = (): void => {
      child.kill('SIGKILL');
    };
    signal?.addEventListener('abort', end, { once: true });
    const chunks: Buffer[] = [];
    let length = 0;
    child.once('error', reject);
    child.stdin.on('error', () => undefined);
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_ANSWER) child.kill();
      else chunks.push(chunk);
    });
    child.once('close', (code) => {
      signal?.removeEventListener('abort', end);
      if (code === 0) resolve(new Uint8Array(Buffer.concat(chunks)));
      else reject(new Error('the command failed'));
    });
    child.stdin.end(bytes);
  });
}

async function askUrl(
  url: string,
  bytes: Uint8Array,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const timer = AbortSignal.timeout(timeout);
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/octet-stream' },
    body: bytes as Uint8Array<ArrayBuffer>,
    redirect: 'error',
    signal: signal === undefined ? timer : AbortSignal.any([timer, signal]),
  });
  if (response.status !== 200 || response.body === null) throw new Error('the signer did not answer 200');
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER) throw new Error('the signer answered too much');
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
