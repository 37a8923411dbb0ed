/** A polluted `Object.prototype` is no setting of a gateway, and nothing that a setting left out. */
import { expect, test } from 'vitest';
import { configFrom } from '../../packages/cli/src/gateway/config.ts';
import { pollute } from '../support/pollution.ts';

const OPTIONS = {
  routes: [{ upstreams: ['ws://127.0.0.1:9'], requestHeaders: { remove: ['x-secret'] } }],
  limits: { connections: 7 },
};
const POLLUTION: Readonly<Record<string, unknown>> = {
  identity: { key: '/of/somebody/else' },
  attestation: { url: 'http://elsewhere.test/' },
  context: 'of somebody else',
  allow: ['192.0.2.0/24'],
  allowedOrigins: ['https://elsewhere.test'],
  trustedProxies: ['0.0.0.0/0'],
  proxyProtocol: true,
  plainHttp: 'upstream',
  padding: 'padme',
  profiles: ['yellowpages'],
  tls: 'no certificate',
  host: 'elsewhere.test',
  rewritePrefix: { from: '/', to: '/elsewhere/' },
  messageBytes: 1,
  admin: { listen: '0.0.0.0:1' },
  unheardOf: true,
};

/** Every member that the schema knows, as code that uses the settings reads it. */
function read(settings: ReturnType<typeof configFrom>['settings']): unknown {
  const names = [...Object.keys(POLLUTION), 'limits', 'timeouts', 'drain', 'log'];
  const of = (object: object): unknown => names.map((name) => [name, (object as Record<string, unknown>)[name]]);
  return [
    of(settings),
    of(settings.limits),
    settings.routes.map((route) => [of(route), of(route.requestHeaders ?? {})]),
  ];
}

test('settings are the same, and what is not set is not there', () => {
  const clean = JSON.stringify(read(configFrom(OPTIONS).settings));
  pollute(POLLUTION);
  const { settings } = configFrom(OPTIONS);
  expect(JSON.stringify(read(settings))).toBe(clean);
  expect([settings.identity, settings.allow, settings.routes[0]?.host]).toEqual([undefined, undefined, undefined]);
});

test('what is missing is still missed', () => {
  pollute({ routes: [{ upstreams: ['ws://127.0.0.1:9'] }] });
  expect(() => configFrom({})).toThrow(/routes/);
});
