/** Server identity: what a pinned client accepts, and that everything else ends with 3770. */
import { randomBytes } from 'node:crypto';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { writePublicKeyPem, writeSecretKeyPem } from '../../src/crypto/key-files.ts';
import { nobleSignatures } from '../../src/crypto/noble/signature.ts';
import { PQWebSocket } from '../../src/index.ts';
import type { PQWebSocketOptions, ServerKey } from '../../src/index.ts';
import type { WebSocketServerOptions } from '../../src/ws.ts';
import { WebSocketServer } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';

const seed = new Uint8Array(randomBytes(32));
const { publicKey } = nobleSignatures.signingKey(seed);
const other = nobleSignatures.signingKey(new Uint8Array(randomBytes(32))).publicKey;
const fingerprint = (key: Uint8Array): string => `sha256:${createHash('sha256').update(key).digest('hex')}`;
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const servers: WebSocketServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(options: Partial<WebSocketServerOptions>): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  servers.push(server);
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data) => {
      socket.send(data);
    });
  });
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as { port: number }).port}/`;
}

interface Result {
  readonly opened: boolean;
  readonly code: number;
  readonly failure: string | undefined;
}

/** Connects, queues a message that must never leave on failure, and closes once it is open. */
function connect(url: string, options: PQWebSocketOptions): Promise<Result> {
  const socket = new PQWebSocket(url, [], options);
  let opened = false;
  socket.onopen = (): void => {
    opened = true;
    socket.close();
  };
  return new Promise((resolve) => {
    socket.onclose = ({ code }): void => {
      resolve({ opened, code, failure: socket.pq.failure?.code });
    };
  });
}

const OPEN: Result = { opened: true, code: 1005, failure: undefined };
const refused = (failure: string): Result => ({ opened: false, code: 3770, failure });

describe('pins that the server meets', () => {
  const keys: [string, ServerKey | ServerKey[]][] = [
    ['bytes', publicKey],
    ['base64', base64(publicKey)],
    ['PEM', writePublicKeyPem(publicKey)],
    ['a fingerprint', fingerprint(publicKey)],
    ['several, one of them right', [other, fingerprint(other), publicKey]],
    ['several fingerprints, one of them right', [fingerprint(other), fingerprint(publicKey)]],
  ];
  test.each(keys)('%s', async (_name, serverKeys) => {
    expect(await connect(await serve({ identity: seed }), { serverKeys })).toEqual(OPEN);
  });
});

describe('identities that sign', () => {
  const native = generateKeyPairSync('ml-dsa-65');
  const nativePem = native.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
  const nativePublic = native.publicKey.export({ format: 'pem', type: 'spki' }) as string;
  const sign = (message: Uint8Array): Uint8Array => nobleSignatures.signingKey(seed).sign(message);
  const identities: [string, WebSocketServerOptions['identity'], ServerKey][] = [
    ['PEM of the seed', writeSecretKeyPem(seed), publicKey],
    ["node:crypto's own PEM", nativePem, nativePublic],
    ['a function', sign, publicKey],
    ['a function that takes time', async (message) => Promise.resolve(sign(message)), publicKey],
    ['a signer with its key', { sign, publicKey }, fingerprint(publicKey)],
  ];
  test.each(identities)('%s', async (_name, identity, serverKeys) => {
    expect(await connect(await serve({ identity: identity as Uint8Array }), { serverKeys })).toEqual(OPEN);
  });
});

test('a client without pins ignores a signature', async () => {
  expect(await connect(await serve({ identity: seed }), {})).toEqual(OPEN);
});

describe('refused with 3770', () => {
  test('no signature', async () => {
    expect(await connect(await serve({}), { serverKeys: publicKey })).toEqual(refused('PQ_ERR_SIGNATURE_MISSING'));
  });

  test('a signature by another key', async () => {
    expect(await connect(await serve({ identity: seed }), { serverKeys: other })).toEqual(
      refused('PQ_ERR_SIGNATURE_INVALID'),
    );
  });

  test('the key of another fingerprint', async () => {
    expect(await connect(await serve({ identity: seed }), { serverKeys: fingerprint(other) })).toEqual(
      refused('PQ_ERR_SIGNATURE_INVALID'),
    );
  });

  test('a pinned key sent beside a signature by another', async () => {
    const impostor = nobleSignatures.signingKey(new Uint8Array(randomBytes(32)));
    const identity = { sign: (message: Uint8Array) => impostor.sign(message), publicKey };
    expect(await connect(await serve({ identity }), { serverKeys: fingerprint(publicKey) })).toEqual(
      refused('PQ_ERR_SIGNATURE_INVALID'),
    );
  });

  test('a signature from another connection', async () => {
    let first: Uint8Array | undefined;
    const replay = (message: Uint8Array): Uint8Array => (first ??= nobleSignatures.signingKey(seed).sign(message));
    const url = await serve({ identity: replay });
    expect(await connect(url, { serverKeys: publicKey })).toEqual(OPEN);
    expect(await connect(url, { serverKeys: publicKey })).toEqual(refused('PQ_ERR_SIGNATURE_INVALID'));
  });

  test('a signature with one bit changed', async () => {
    const flipped = (message: Uint8Array): Uint8Array => {
      const signature = nobleSignatures.signingKey(seed).sign(message);
      signature[1000] = (signature[1000] as number) ^ 1;
      return signature;
    };
    expect(await connect(await serve({ identity: flipped }), { serverKeys: publicKey })).toEqual(
      refused('PQ_ERR_SIGNATURE_INVALID'),
    );
  });

  test.each<[string, WebSocketServerOptions['identity']]>([
    [
      'throws',
      () => {
        throw new Error('HSM offline');
      },
    ],
    ['rejects', () => Promise.reject(new Error('HSM offline'))],
    ['gives no signature', () => new Uint8Array(10)],
  ])('a signer that %s: the client sees 3770 claimed by the transport', async (_name, identity) => {
    expect(await connect(await serve({ identity: identity as Uint8Array }), {})).toEqual(refused('PQ_ERR_PEER'));
  });
});

describe('attestation', () => {
  const attest = (_hash: unknown, { userData }: { userData: Uint8Array }): Uint8Array => userData;

  test('the document is for this connection', async () => {
    const seen: string[] = [];
    const url = await serve({ attest });
    const result = await connect(url, {
      verifyAttestation: (document, context) => {
        expect([...document]).toEqual([...context.userData]);
        expect(context.userData.length).toBe(59);
        seen.push(context.profile, context.url);
      },
    });
    expect(result).toEqual(OPEN);
    expect(seen).toEqual(['v1', url]);
  });

  test.each<[string, NonNullable<PQWebSocketOptions['verifyAttestation']>]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['gives false', (() => false) as unknown as () => void],
  ])('a verifier that %s refuses', async (_name, verifyAttestation) => {
    expect(await connect(await serve({ attest }), { verifyAttestation })).toEqual(
      refused('PQ_ERR_ATTESTATION_REFUSED'),
    );
  });

  test('no document', async () => {
    expect(await connect(await serve({}), { verifyAttestation: () => undefined })).toEqual(
      refused('PQ_ERR_ATTESTATION_MISSING'),
    );
  });

  test('pins and attestation: both are needed', async () => {
    const both = { serverKeys: publicKey, verifyAttestation: (): void => undefined };
    expect(await connect(await serve({ attest }), both)).toEqual(refused('PQ_ERR_SIGNATURE_MISSING'));
    expect(await connect(await serve({ identity: seed }), both)).toEqual(refused('PQ_ERR_ATTESTATION_MISSING'));
    expect(await connect(await serve({ identity: seed, attest }), both)).toEqual(OPEN);
  });
});

describe('bad options', () => {
  test.each<[string, unknown]>([
    ['no key', []],
    ['a short key', new Uint8Array(10)],
    ['lax base64', `${base64(publicKey).slice(0, -1)}!`],
    ['a short fingerprint', 'sha256:00'],
    ['a number', 7],
  ])('serverKeys: %s', (_name, serverKeys) => {
    expect(() => new PQWebSocket('ws://127.0.0.1:1/', [], { serverKeys: serverKeys as ServerKey })).toThrow(
      /serverKeys/,
    );
  });

  test('identity: a short key is named by its length', () => {
    expect(() => new WebSocketServer({ noServer: true, identity: new Uint8Array(31) })).toThrow(/31/);
  });
});
