/** Configurations: what is filled in, and that every error names its key, its line and what was expected. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { GatewayConfigError, startGateway } from '../../packages/cli/src/gateway.ts';
import type { GatewayOptions } from '../../packages/cli/src/gateway.ts';
import { configFrom, loadConfig } from '../../packages/cli/src/gateway/config.ts';
import type { Override } from '../../packages/cli/src/gateway/config.ts';
import { checkConfig } from '../../packages/cli/src/gateway/process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'pqws-config-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const file = path.join(folder, 'gateway.yaml');

/** What is said of a file, with its name as FILE. */
async function problemsOf(text: string, overrides: readonly Override[] = []): Promise<string[]> {
  writeFileSync(file, text);
  try {
    await checkConfig(loadConfig(file, overrides));
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayConfigError);
    return (error as Error).message.replaceAll(file, 'FILE').split('\n');
  }
}

const ROUTES = 'routes:\n  - upstreams: [ws://127.0.0.1:1]\n';

test('every default', () => {
  expect(configFrom({ routes: [{ upstreams: ['ws://x'] }] } satisfies GatewayOptions).settings).toEqual({
    profiles: ['v1'],
    trustedProxies: [],
    deny: [],
    routes: [
      {
        upstreams: ['ws://x'],
        balance: 'least',
        deny: [],
        requestHeaders: { set: {}, remove: [] },
        responseHeaders: { set: {}, remove: [] },
        preserveHost: true,
        health: { interval: 5_000, timeout: 2_000 },
      },
    ],
    plainHttp: 'refuse',
    padding: 'off',
    limits: {
      connections: 10_000,
      connectionsPerAddress: 1_000,
      handshakesPerSecond: 50,
      handshakeBurst: 200,
      pendingHandshakes: 1_000,
      headerBytes: 16_384,
      messageBytes: 104_857_600,
      bufferedBytes: 1_048_576,
    },
    timeouts: { header: 10_000, handshake: 10_000, connect: 5_000, upgrade: 30_000, idle: 3_600_000 },
    drain: { delay: 0, deadline: 30_000 },
    log: { format: 'json', level: 'info', refusals: 100 },
    traces: false,
    workers: 1,
  });
});

test('JSON is read too, and flags go over the file', () => {
  writeFileSync(
    file,
    JSON.stringify({ listen: ':1', routes: [{ upstreams: ['ws://x'] }], limits: { connections: 5 } }),
  );
  const { settings } = loadConfig(file, [
    { path: ['listen'], value: ':2', source: '--listen' },
    { path: ['limits', 'handshakeBurst'], value: 7, source: 'ENV' },
    { path: ['admin', 'listen'], value: ':3', source: 'ENV' },
    { path: ['routes'], value: [{ upstreams: ['ws://y'] }], source: '--upstream' },
  ]);
  expect(settings).toMatchObject({
    listen: ':2',
    limits: { connections: 5, handshakeBurst: 7 },
    admin: { listen: ':3' },
    routes: [{ upstreams: ['ws://y'] }],
  });
});

describe('errors', () => {
  /** A key with a wrong value on line 3, and what is said of it. */
  const WRONG: readonly (readonly [yaml: string, path: string, expected: string])[] = [
    ['listen: 8443', 'listen', 'an address to listen on: host:port, [v6]:port, :port or unix:/path'],
    ['profiles: [v2]', 'profiles[0]', 'one of v1, yellowpages'],
    ['profiles: []', 'profiles', 'a list of at least one of: v1, yellowpages'],
    ['profiles: [v1, v1]', 'profiles', 'each profile once'],
    ['tls: yes', 'tls', 'a map with cert, key'],
    ['tls: {cert: x}', 'tls.key', 'this key to be there'],
    ['tls: {cert: "", key: k}', 'tls.cert', 'the path of a file'],
    [
      'proxyProtocol: maybe',
      'proxyProtocol',
      'true, false, or a list of the IP addresses and CIDR blocks that it may come from',
    ],
    ['trustedProxies: 10.0.0.0/8', 'trustedProxies', 'a list of IP addresses and CIDR blocks, and unix'],
    ['trustedProxies: [10.0.0.0/8, here]', 'trustedProxies[1]', 'an IP address, a CIDR block, or unix'],
    ['plainHttp: maybe', 'plainHttp', 'one of refuse, upstream'],
    [
      'allowedOrigins: [https://x/]',
      'allowedOrigins[0]',
      'an origin as browsers write it, such as https://example.com, https://*.example.com or capacitor://localhost',
    ],
    [
      'identity: {file: x}',
      'identity',
      'a map with one of key: a file, command: a program and its arguments, url: an http: or https: URL',
    ],
    [
      'attestation: {url: "ftp://x"}',
      'attestation',
      'a map with one of command: a program and its arguments, url: an http: or https: URL',
    ],
    ['clientKeys: {pins: [sha256:00]}', 'clientKeys.pins[0]', 'sha256: and 64 hex digits'],
    ['clientKeys: {demand: maybe, files: [x]}', 'clientKeys.demand', 'true or false'],
    ['clientKeys: {}', 'clientKeys', 'at least one of pins and files: else nobody gets in'],
    ['context: ""', 'context', 'a string that is not empty'],
    ['padding: 65537', 'padding', 'off, padme or a block size from 1 to 65536'],
    ['limits: {connections: 0}', 'limits.connections', 'an integer from 1 to 1000000'],
    ['limits: {bufferedBytes: 1}', 'limits.bufferedBytes', 'an integer from 65536 to 1073741824'],
    ['timeouts: {idle: -1}', 'timeouts.idle', 'an integer from 0 to 2147483647'],
    ['timeouts: {handshake: "10s"}', 'timeouts.handshake', 'an integer from 100 to 2147483647'],
    ['drain: {deadline: 1.5}', 'drain.deadline', 'an integer from 0 to 86400000'],
    ['admin: 9090', 'admin', 'a map with listen'],
    ['log: {format: xml}', 'log.format', 'one of json, pretty'],
    ['log: {level: trace}', 'log.level', 'one of debug, info, warn, error, silent'],
    ['traces: maybe', 'traces', 'true or false'],
    ['traces: true', 'traces', 'an OpenTelemetry SDK, registered before: NODE_OPTIONS="--import FILE"'],
    ['workers: 0', 'workers', 'an integer from 1 to 256, or cores'],
  ];

  test.each(WRONG)('%s', async (yaml, key, expected) => {
    expect(await problemsOf(`${ROUTES}${yaml}\n`)).toEqual([`FILE:3: ${key}: expected ${expected}`]);
  });

  test.each([
    ['routes: []', 'FILE:1: routes: expected a list of at least one of: routes, each with upstreams'],
    ['routes:\n  - path: /x', 'FILE:2: routes[0].upstreams: expected this key to be there'],
    ['routes:\n  - upstreams: []', 'FILE:2: routes[0].upstreams: expected a list of at least one of: backends'],
    [
      'routes:\n  - upstreams:\n      - ws://x\n      - http://x',
      'FILE:4: routes[0].upstreams[1]: expected ws://host:port, wss://host:port or unix:/path, without a path of its own, or a map with address, weight, ca, cert, key',
    ],
    [
      'routes:\n  - path: x\n    upstreams: [ws://x]',
      'FILE:2: routes[0].path: expected a URL pattern for a path, which begins with /, with one * at most, and one variable in each part: others take too long on a long text',
    ],
    ['routes:\n  - path: /(\n    upstreams: [ws://x]', 'FILE:2: routes[0]: expected URL patterns for host and path'],
    [
      'routes:\n  - upstreams: [ws://x]\n    health: {path: x}',
      'FILE:3: routes[0].health: expected path: a path that begins with /',
    ],
    [
      'routes:\n  - upstreams: [ws://x]\n    health: often',
      'FILE:3: routes[0].health: expected false, or a map with path, interval, timeout',
    ],
    [
      'routes:\n  - upstreams: [ws://x]\n    colour: red',
      'FILE:3: routes[0].colour: no such key; there are name, host, path, upstreams, balance, allow, deny, requestHeaders, responseHeaders, rewritePrefix, auth, preserveHost, health',
    ],
  ])('%j', async (yaml, problem) => {
    expect(await problemsOf(yaml)).toEqual([problem]);
  });

  test.each([
    ['requestHeaders: {set: {Content-Length: "0"}}', 'requestHeaders.set.Content-Length'],
    ['requestHeaders: {set: {Transfer_Encoding: gzip}}', 'requestHeaders.set.Transfer_Encoding'],
    ['requestHeaders: {remove: [X-A, content-length]}', 'requestHeaders.remove[1]'],
    ['responseHeaders: {set: {content-length: "1"}}', 'responseHeaders.set.content-length'],
    ['responseHeaders: {set: {Connection: keep-alive}}', 'responseHeaders.set.Connection'],
    ['responseHeaders: {remove: [Sec-WebSocket-Accept]}', 'responseHeaders.remove[0]'],
    ['auth: {url: "http://x", pass: [X-User, Transfer-Encoding]}', 'auth.pass[1]'],
  ])('%s would make one message of another', async (yaml, key) => {
    expect(await problemsOf(`routes:\n  - upstreams: [ws://x]\n    ${yaml}\n`)).toEqual([
      `FILE:3: routes[0].${key}: expected a header of the whole way: how a message is framed, and the upgrade, each connection says for itself`,
    ]);
  });

  test.each(['requestHeaders: {remove: [HOST]}', 'auth: {url: "http://x", pass: [Host]}'])(
    '%s leaves a request without its Host',
    async (yaml) => {
      expect(await problemsOf(`routes:\n  - upstreams: [ws://x]\n    ${yaml}\n`)).toEqual([
        expect.stringMatching(/^FILE:3: routes\[0\]\..*: expected another header: each request has a Host/),
      ]);
    },
  );

  test('all at once, each on its line', async () => {
    expect(await problemsOf('listen: x\n\nplainHttp: 3\nroutes: 1\nlimit: {}\n')).toEqual([
      expect.stringContaining('FILE:1: listen: '),
      expect.stringContaining('FILE:4: routes: '),
      expect.stringContaining('FILE:3: plainHttp: '),
      expect.stringContaining('FILE:5: limit: no such key'),
    ]);
  });

  test('a value from a flag or a variable is not blamed on the file', async () => {
    expect(
      await problemsOf(ROUTES, [
        { path: ['limits', 'connections'], value: 'many', source: 'PQ_GATEWAY_MAX_CONNECTIONS' },
        { path: ['routes'], value: [{ upstreams: ['ws://x', 'y'] }], source: '--upstream' },
      ]),
    ).toEqual([
      expect.stringContaining('--upstream: routes[0].upstreams[1]: expected ws://host:port'),
      'PQ_GATEWAY_MAX_CONNECTIONS: limits.connections: expected an integer from 1 to 1000000',
    ]);
  });

  test('what is no YAML, with the line, and without quoting it', async () => {
    const [problem] = await problemsOf('listen: ":1"\nsecret: [a, b\nroutes: x\n');
    expect(problem).toMatch(/^FILE:\d: not YAML or JSON \(/);
    expect(problem).not.toContain('secret');
    expect(await problemsOf('a: 1\na: 2\n')).toEqual([
      expect.stringMatching(/^FILE:2: not YAML or JSON \(duplicate key\)$/),
    ]);
    expect(() => loadConfig(path.join(folder, 'none'), [])).toThrow(`${folder}/none: cannot be read (ENOENT)`);
    expect(await problemsOf('just text')).toEqual(['FILE:1: expected a map with routes']);
  });

  test('what yellowpages alone cannot do', async () => {
    const expected = 'expected v1 among the profiles: yellowpages has no such thing';
    expect(
      await problemsOf(`${ROUTES}profiles: [yellowpages]\ncontext: x\npadding: padme\nidentity: {url: "http://x"}\n`),
    ).toEqual([`FILE:6: identity: ${expected}`, `FILE:4: context: ${expected}`, `FILE:5: padding: ${expected}`]);
    expect(await problemsOf(`${ROUTES}profiles: [yellowpages]\n`)).toEqual([]);
  });

  test('files that the configuration names', async () => {
    const pem = path.join(folder, 'wrong.pem');
    writeFileSync(pem, 'not a key');
    const certificates = path.join(import.meta.dirname, 'certificates');
    const of = (yaml: string): Promise<string[]> => problemsOf(`${ROUTES}${yaml}\n`);
    expect(await of(`identity: {key: ${folder}/none}`)).toEqual([
      'FILE:3: identity.key: expected a file that can be read (ENOENT)',
    ]);
    expect(await of(`identity: {key: ${pem}}`)).toEqual([
      'FILE:3: identity.key: expected an ML-DSA-65 secret key in PEM',
    ]);
    expect(await of(`identity: {url: "http://x", publicKey: ${pem}}`)).toEqual([
      'FILE:3: identity.publicKey: expected an ML-DSA-65 public key in PEM',
    ]);
    expect(await of(`clientKeys: {files: [${pem}, ${folder}/none]}`)).toEqual([
      'FILE:3: clientKeys.files[0]: expected ML-DSA-65 public keys in PEM',
      'FILE:3: clientKeys.files[1]: expected a file that can be read (ENOENT)',
    ]);
    expect(await of(`profiles: [v1, yellowpages]\nclientKeys: {pins: ["sha256:${'0'.repeat(64)}"]}`)).toEqual([
      'FILE:4: clientKeys: expected v1 alone among the profiles: yellowpages has no client identity',
    ]);
    expect(await of(`tls:\n  cert: ${pem}\n  key: ${pem}`)).toEqual([
      'FILE:4: tls.cert: expected a certificate in PEM',
    ]);
    expect(await of(`tls:\n  cert: ${certificates}/one.cert.pem\n  key: ${certificates}/two.key.pem`)).toEqual([
      'FILE:5: tls.key: expected the private key of the certificate, in PEM',
    ]);
    expect(await of(`tls: {cert: ${folder}/none, key: ${pem}}`)).toEqual([
      'FILE:3: tls.cert: expected a file that can be read (ENOENT)',
    ]);
    expect(
      await of(`listen: unix:/x\ntls: {cert: ${certificates}/one.cert.pem, key: ${certificates}/one.key.pem}`),
    ).toEqual(['FILE:3: listen: expected host:port: TLS is not offered on a unix socket']);
  });

  test('of several files at once, and of listeners', async () => {
    const certificates = path.join(import.meta.dirname, 'certificates');
    const pair = (name: string): string =>
      `{cert: ${certificates}/${name}.cert.pem, key: ${certificates}/${name}.key.pem}`;
    expect(
      await problemsOf(
        [
          'identity: {key: none}',
          'listeners:',
          '  - listen: 127.0.0.1:1',
          '    tls: {cert: none, key: nothing, clientCa: nobody}',
          '  - listen: unix:/x',
          `    tls: ${pair('one')}`,
          '  - listen: 127.0.0.1:1',
          'routes:',
          '  - upstreams: [{address: "wss://x", ca: none, key: none}]',
          '  - path: /(',
          '    upstreams: [ws://x]',
          'proxyProtocol: true',
        ].join('\n'),
      ),
    ).toEqual([
      'FILE:1: identity.key: expected a file that can be read (ENOENT)',
      'FILE:12: proxyProtocol: expected it in each of the listeners, where there are listeners',
      'FILE:5: listeners[1].listen: expected host:port: TLS is not offered on a unix socket',
      'FILE:7: listeners[2].listen: expected each address once',
      'FILE:4: listeners[0].tls.clientCa: expected a file that can be read (ENOENT)',
      'FILE:4: listeners[0].tls.cert: expected a file that can be read (ENOENT)',
      'FILE:4: listeners[0].tls.key: expected a file that can be read (ENOENT)',
      'FILE:9: routes[0].upstreams[0].ca: expected a file that can be read (ENOENT)',
      'FILE:9: routes[0].upstreams[0].key: expected a file that can be read (ENOENT)',
      'FILE:10: routes[1]: expected URL patterns for host and path',
    ]);
    expect(await problemsOf(`${ROUTES}listeners: []\n`)).toEqual([
      'FILE:3: listeners: expected a list of at least one of: listeners, each with listen',
    ]);
    expect(
      await problemsOf(`${ROUTES}listeners: [{listen: here, tls: yes, proxyProtocol: maybe, port: 1}, {}]\n`, [
        { path: ['listen'], value: ':1', source: '--listen' },
      ]),
    ).toEqual([
      'FILE:3: listeners[0].listen: expected an address to listen on: host:port, [v6]:port, :port or unix:/path',
      'FILE:3: listeners[0].tls: expected a map with cert, key',
      'FILE:3: listeners[0].proxyProtocol: expected true, false, or a list of the IP addresses and CIDR blocks that it may come from',
      'FILE:3: listeners[0].port: no such key; there are listen, tls, proxyProtocol',
      'FILE:3: listeners[1].listen: expected this key to be there',
    ]);
  });

  test('of an options object name the key', async () => {
    await expect(startGateway({ routes: [{ upstreams: ['x'] }] })).rejects.toMatchObject({
      name: 'GatewayConfigError',
      problems: [{ source: undefined, path: 'routes[0].upstreams[0]' }],
    });
  });
});
