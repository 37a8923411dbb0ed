import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PQWebSocket } from 'pq-websocket';
import type { PQWebSocketOptions } from 'pq-websocket';
import type { MockOptions } from 'pq-websocket/msw';
import { closing, inbox, mock, MODES, next, URL_UNDER_TEST } from './support.ts';

function identity(): { secret: string; pin: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ml-dsa-65');
  return {
    secret: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    pin: publicKey.export({ format: 'pem', type: 'spki' }) as string,
  };
}

/** yellowpages has bytes only. */
const text = (data: unknown): string => (typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString());

const own = identity();
const other = identity();
const evidence = new TextEncoder().encode('evidence');

const WORKING: readonly [string, MockOptions, PQWebSocketOptions][] = [
  ['context', { context: 'tenant 7' }, { context: 'tenant 7' }],
  ['identity and pin', { identity: own.secret }, { serverKeys: own.pin }],
  [
    'an attestation',
    { attest: () => Promise.resolve(evidence) },
    {
      verifyAttestation: (given) => {
        expect([...given]).toEqual([...evidence]);
      },
    },
  ],
  ['padding and rekey', { padding: 256, rekey: { records: 2 } }, { padding: 'padme', rekey: { records: 2 } }],
  ['yellowpages', { profiles: ['yellowpages'] }, { profile: 'yellowpages', verifyAttestation: false }],
  ['either profile', { profiles: ['v1', 'yellowpages'] }, { profile: 'yellowpages', verifyAttestation: false }],
  ['fast open', {}, { fastOpen: true }],
];

describe.each(MODES)('%s', (mode) => {
  test.each(WORKING)('%s', async (_name, options, clientOptions) => {
    mock(
      mode,
      ({ client }) => {
        client.addEventListener('message', ({ data }) => {
          client.send(`echo ${text(data)}`);
        });
      },
      options,
    );
    const socket = new PQWebSocket(URL_UNDER_TEST, [], clientOptions);
    socket.binaryType = 'arraybuffer';
    const { until } = inbox(socket);
    socket.send('1');
    socket.send('2');
    expect((await until(2)).map(text)).toEqual(['echo 1', 'echo 2']);
    expect(socket.pq.profile).toBe(clientOptions.profile ?? 'v1');
  });

  test.each<[string, number, MockOptions, PQWebSocketOptions]>([
    ['another context', 3768, { context: 'one' }, { context: 'two' }],
    ['another identity', 3770, { identity: own.secret }, { serverKeys: other.pin }],
    ['no identity', 3770, {}, { serverKeys: own.pin }],
    ['a message above maxPayload', 3773, { maxPayload: 3 }, {}],
  ])('%s ends in %i', async (_name, code, options, clientOptions) => {
    const heard: unknown[] = [];
    mock(
      mode,
      ({ client }) => {
        client.addEventListener('message', ({ data }) => heard.push(data));
      },
      options,
    );
    const socket = new PQWebSocket(URL_UNDER_TEST, [], clientOptions);
    socket.send('long');
    expect(closing(await next<CloseEvent>(socket, 'close'))).toEqual({ code, reason: '', wasClean: false });
    expect(heard).toEqual([]);
  });

  test('fast open: the handler sees the application`s subprotocols, and the hello in the request was answered', async () => {
    const offered: unknown[] = [];
    mock(mode, ({ client, info }) => {
      offered.push(info.protocols);
      client.send('early');
    });
    for (const protocols of [[], ['chat', 'chat2']]) {
      const socket = new PQWebSocket(URL_UNDER_TEST, protocols, { fastOpen: true });
      const { until } = inbox(socket);
      expect(await until(1)).toEqual(['early']);
      expect(socket.protocol).toBe(protocols[0] ?? '');
    }
    expect(offered).toEqual([undefined, ['chat', 'chat2']]);
  });
});
