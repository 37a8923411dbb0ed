/**
 * The key log, for debugging: each epoch's key as a line, in the manner of TLS's SSLKEYLOGFILE. It is the one place where a key leaves
 * this package, by the option `keyLog` or the environment variable PQ_WEBSOCKET_KEYLOG, and never without a warning.
 *
 *     PQWS1_CLIENT_KEY <transcript hash of the generation, hex> <AES-256-GCM key, hex>
 *     PQWS1_SERVER_KEY <...> <...>
 *
 * Lines of one label and hash are the epochs, in order.
 */
import { closeSync, constants, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs';
import { Map, weakMapClass } from '../base/captured.ts';
import { chain } from '../base/maybe-promise.ts';
import type { CryptoBackend } from '../crypto/backend.ts';
import { AEAD_KEY_BYTES } from '../crypto/backend.ts';
import { passingOn } from '../crypto/passing-on.ts';

export const KEY_LOG_OPTIONS: readonly 'keyLog'[] = ['keyLog'];

const VARIABLE = 'PQ_WEBSOCKET_KEYLOG';
/** The owner alone. */
const MODE = 0o600;
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
/** Windows has none of these. O_NONBLOCK: to open a pipe that nobody reads would wait for ever. */
const CAREFULLY = ((O_NOFOLLOW as number | undefined) ?? 0) | ((O_NONBLOCK as number | undefined) ?? 0);
/** What the key schedule calls the keys of records (PROTOCOL.md 6). */
const RECORD_KEY = /^pq-websocket\/1 (client|server) key$/;

type Write = (line: string) => void;

const files = new Map<string, Write>();
let hasWarned = false;
let hasFailed = false;

/** What writes for the environment, by what is behind it: an option goes over the variable. */
const plainOnes = new (weakMapClass())<CryptoBackend, CryptoBackend>();

/** @returns `backend`, which writes the keys of records down where the environment asks for that: of connections without any option, too */
export function withVariableKeyLog(backend: CryptoBackend): CryptoBackend {
  const write = writerOfVariable();
  if (write === undefined) return backend;
  const writing = writingTo(write, backend);
  plainOnes.set(writing, backend);
  return writing;
}

/**
 * @param option a path, or what is called with each line (without its line feed)
 * @returns `backend`, which writes the keys of records down where that is asked for
 * @throws {TypeError} for an option that is neither, or a file that cannot be opened
 */
export function withKeyLog(where: string, backend: CryptoBackend, option: unknown): CryptoBackend {
  if (option === undefined) return backend;
  return writingTo(writerOf(where, option), plainOnes.get(backend) ?? backend);
}

function writingTo(write: Write, backend: CryptoBackend): CryptoBackend {
  const deriveKey: CryptoBackend['deriveKey'] = (secret, salt, info) => {
    const label = RECORD_KEY.exec(Buffer.from(info).toString('latin1'))?.[1]?.toUpperCase();
    if (label === undefined) return backend.deriveKey(secret, salt, info);
    return chain(backend.deriveBytes(secret, salt, info, AEAD_KEY_BYTES), (key) => {
      try {
        warn();
        write(`PQWS1_${label}_KEY ${hex(salt)} ${hex(key)}`);
      } finally {
        key.fill(0);
      }
      return backend.deriveKey(secret, salt, info);
    });
  };
  return { ...passingOn(backend.name, (act) => act(backend)), deriveKey };
}

function writerOf(where: string, option: unknown): Write {
  if (typeof option === 'function') return option as Write;
  if (typeof option !== 'string' || option === '')
    throw new TypeError(`${where}: option 'keyLog' must be a path or a function`);
  try {
    return toFile(option);
  } catch (cause) {
    throw new TypeError(`${where}: option 'keyLog': ${(cause as Error).message}`, { cause });
  }
}

function writerOfVariable(): Write | undefined {
  const path = process.env[VARIABLE];
  if (path === undefined || path === '') return undefined;
  try {
    return toFile(path);
  } catch (error) {
    if (!hasFailed) process.emitWarning(`${VARIABLE}: ${(error as Error).message}`, { code: 'PQ_WARN_KEYLOG' });
    hasFailed = true;
    return undefined;
  }
}

function toFile(path: string): Write {
  let write = files.get(path);
  if (write === undefined) {
    const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | CAREFULLY, MODE);
    try {
      const found = fstatSync(file);
      // Root may open and change all that there is: not the mode of /dev/null, and no file that somebody else can read then.
      if (!found.isFile()) throw new Error(`${path} is no regular file`);
      const self = process.geteuid?.();
      if (self !== undefined && found.uid !== self) throw new Error(`${path} belongs to another user`);
      // A file that was there before, too.
      if ((found.mode & 0o777) !== MODE) fchmodSync(file, MODE);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    write = (line) => void writeSync(file, `${line}\n`);
    files.set(path, write);
  }
  return write;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function warn(): void {
  if (hasWarned) return;
  hasWarned = true;
  process.emitWarning(
    "pq-websocket writes down the keys of its connections (option 'keyLog' or PQ_WEBSOCKET_KEYLOG). " +
      'Whoever has them can read all that was said. For debugging alone.',
    { code: 'PQ_WARN_KEYLOG' },
  );
}
