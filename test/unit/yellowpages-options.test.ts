/** The options of both profiles, at every place that takes them. */
import { describe, expect, test } from 'vitest';
import type { ChannelConfig } from '../../src/options/channel.ts';
import { clientConfig } from '../../src/options/client-checks.ts';
import { serverConfig } from '../../src/options/server.ts';
import { createPolyfill } from '../../src/dom/polyfill-class.ts';
import { PQWebSocket } from '../../src/index.ts';
import { wrapServerSocket } from '../../src/server.ts';
import { WebSocket, WebSocketServer } from '../../src/ws.ts';
import { IdleSocket, MemorySocket } from '../support/memory-transport.ts';

type Options = Record<string, unknown>;
const URL = 'ws://127.0.0.1:9/';
const verifier = (): void => undefined;

const CLIENTS: readonly (readonly [string, (options: Options) => unknown])[] = [
  ['PQWebSocket', (options) => new PQWebSocket(URL, [], { ...options, WebSocket: IdleSocket })],
  ['WebSocket of pq-websocket/ws', (options) => new WebSocket(URL, options)],
  ['the polyfill', (options) => createPolyfill({ native: IdleSocket }, options)],
];
const SERVERS: readonly (readonly [string, (options: Options) => unknown])[] = [
  ['wrapServerSocket', (options) => wrapServerSocket(new MemorySocket(), options)],
  ['WebSocketServer', (options) => new WebSocketServer({ noServer: true, ...options })],
];
const V1_ONLY = {
  serverKeys: 'sha256:' + '0'.repeat(64),
  identity: new Uint8Array(32),
  context: 'x',
  padding: 'padme',
  rekey: {},
};

describe.each(CLIENTS)('%s', (_name, create) => {
  test.each([undefined, true, null, 'false', 0])(
    'yellowpages with verifyAttestation %s is refused',
    (verifyAttestation) => {
      expect(() => create({ profile: 'yellowpages', verifyAttestation })).toThrow(
        expect.objectContaining({
          name: 'TypeError',
          message: expect.stringContaining(
            "'verifyAttestation' must be a function, or false in so many words",
          ) as string,
        }),
      );
    },
  );

  test.each(['serverKeys', 'context', 'padding', 'rekey'] as const)(
    "v1's option %s is refused by name in yellowpages",
    (name) => {
      const options = { profile: 'yellowpages', verifyAttestation: verifier, [name]: V1_ONLY[name] };
      expect(() => create(options)).toThrow(
        expect.objectContaining({
          name: 'TypeError',
          message: expect.stringContaining(`option '${name}' is not possible with the profile 'yellowpages'`) as string,
        }),
      );
    },
  );

  test.each(['v2', '', null, 1, ['v1'], 'YELLOWPAGES'])('the profile %j is refused', (profile) => {
    expect(() => create({ profile })).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: expect.stringContaining("option 'profile' takes 'v1' and 'yellowpages', got") as string,
      }),
    );
  });

  test('in v1 false is no verifier: it may be a condition that went wrong', () => {
    expect(() => create({ verifyAttestation: false })).toThrow("option 'verifyAttestation' must be a function");
  });

  test("a server's list of profiles is no option here", () => {
    expect(() => create({ profiles: ['v1'] })).toThrow("unknown option 'profiles'");
  });
});

describe.each(SERVERS)('%s', (_name, create) => {
  test.each([[[]], ['yellowpages'], [['v1', 'v1']], [{}], [null]])('profiles %j is refused', (profiles) => {
    expect(() => create({ profiles })).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: expect.stringContaining("option 'profiles' must be a list of one profile or both, got") as string,
      }),
    );
  });

  test.each([[['v2']], [['v1', null]]])('profiles %j is refused', (profiles) => {
    expect(() => create({ profiles })).toThrow("option 'profiles' takes 'v1' and 'yellowpages', got");
  });

  test.each(['identity', 'context', 'padding', 'rekey'] as const)(
    "v1's option %s is refused with yellowpages alone, and taken with both",
    (name) => {
      const options = { [name]: V1_ONLY[name] };
      expect(() => create({ profiles: ['yellowpages'], ...options })).toThrow(
        `option '${name}' is not possible with the profile 'yellowpages'`,
      );
      expect(() => create({ profiles: ['yellowpages', 'v1'], ...options })).not.toThrow();
    },
  );

  test("a client's profile is no option here", () => {
    expect(() => create({ profile: 'v1' })).toThrow("unknown option 'profile'");
  });
});

test('a context that is a function of the request is refused as any other', () => {
  expect(() => new WebSocketServer({ noServer: true, profiles: ['yellowpages'], context: () => 'x' })).toThrow(
    "option 'context' is not possible",
  );
});

describe('what becomes of them', () => {
  const client = (options: Options): ChannelConfig => clientConfig('Test', options, URL, 1000);
  const server = (options: Options): ChannelConfig => serverConfig('Test', options, 1000);

  test('v1 is the default, and has nothing of yellowpages', () => {
    expect(client({})).toEqual(client({ profile: 'v1' }));
    expect(server({})).toEqual(server({ profiles: ['v1'] }));
    for (const config of [client({}), server({})])
      expect([config.profile, config.yellowpages]).toEqual([undefined, undefined]);
  });

  test('handshakeTimeout is 30 s in yellowpages unless set', () => {
    expect(client({ profile: 'yellowpages', verifyAttestation: false }).yellowpages).toEqual({
      stepTimeout: 30_000,
      maxFrames: 65_536,
      verify: undefined,
    });
    const both = server({ profiles: ['v1', 'yellowpages'] });
    expect([both.profile, both.limits.handshakeTimeout, both.yellowpages?.stepTimeout]).toEqual([
      'either',
      10_000,
      30_000,
    ]);
    const set = server({ profiles: ['v1', 'yellowpages'], handshakeTimeout: 5 });
    expect([set.limits.handshakeTimeout, set.yellowpages?.stepTimeout]).toEqual([5, 5]);
  });
});
