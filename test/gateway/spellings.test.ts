/**
 * A header's name as backends read it. CGI, WSGI, Rack and PHP make one variable of `X-PQ-Client-Key`, `X_PQ_Client_Key` and `X.PQ.Client.Key`: so
 * what the gateway says itself, or believes from few, no client says in any spelling.
 */
import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { fingerprintOf, publicKeyOf } from '../../src/keys.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend, startRecorder } from './backend.ts';
import { openClient, startTestGateway } from './support.ts';

const FORGED = 'forged';
const NAMES = [
  'X-PQ-Client-Key',
  'X-PQ-Anything',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Real-IP',
  'X-Request-Id',
  'Client-Cert',
  'Client-Cert-Chain',
  // Of the configuration below: set, removed, and of the authentication.
  'X-Of-Tenant',
  'X-Of-Inside',
  'X-Auth-User',
  'X-Auth-Group',
  // Of the gateway's own leg.
  'Transfer-Encoding',
  'Keep-Alive',
];
const SPELLINGS: readonly (readonly [name: string, respelled: (name: string) => string])[] = [
  ['_ for -', (name) => name.replaceAll('-', '_')],
  ['one _ in capitals', (name) => name.toUpperCase().replace('-', '_')],
  ['. for -', (name) => name.replaceAll('-', '.')],
];
const OF_UPGRADES = ['Sec-WebSocket-Protocol', 'Sec-WebSocket-Key', 'Content-Length'];

/** The variables of CGI (RFC 3875 4.1.18), each with all that comes to it. */
function variables({ rawHeaders }: IncomingMessage): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toUpperCase().replace(/[^A-Z\d]/g, '_');
    found.set(name, [...(found.get(name) ?? []), rawHeaders[i + 1] as string]);
  }
  return found;
}

test.each(
  SPELLINGS.flatMap(([spelling, respelled]) => [false, true].map((isTrusted) => ({ spelling, respelled, isTrusted }))),
)(
  '$spelling, of a trusted proxy $isTrusted: nothing of it reaches a backend or who is asked before, in requests and upgrades',
  async ({ respelled, isTrusted }) => {
    const backend = await startRecorder();
    const authority = await startRecorder({ 'X-Auth-User': 'ada' });
    const gateway = await startTestGateway({
      plainHttp: 'upstream',
      ...(isTrusted && { trustedProxies: ['127.0.0.1'] }),
      routes: [
        {
          upstreams: [`ws://${backend.url}`],
          health: false,
          auth: { url: `http://${authority.url}/`, pass: ['X-Auth-User', 'X-Auth-Group'] },
          requestHeaders: { set: { 'X-Of-Tenant': 'one' }, remove: ['X-Of-Inside'] },
        },
      ],
    });
    const forged = (names: readonly string[]): Record<string, string> =>
      Object.fromEntries(names.map((name) => [respelled(name), FORGED]));
    const passes = { X_Other: 'passes', 'x.y': 'passes too' };
    const response = await fetch(`http://${gateway.address}/`, { headers: { ...forged(NAMES), ...passes } });
    expect(response.status).toBe(204);
    await refusedUpgrade(gateway.port, '/', { ...forged([...NAMES, ...OF_UPGRADES]), ...passes });
    expect(backend.asked).toHaveLength(2);
    for (const request of backend.asked) {
      const all = variables(request);
      expect([...all].filter(([, values]) => values.includes(FORGED))).toEqual([]);
      expect(all.get('X_FORWARDED_FOR')).toEqual(['127.0.0.1']);
      expect(all.get('X_OF_TENANT')).toEqual(['one']);
      expect(all.get('X_AUTH_USER')).toEqual(['ada']);
      // What the gateway has no word in goes through as it was written.
      expect(request.rawHeaders).toEqual(expect.arrayContaining(['X_Other', 'passes', 'x.y', 'passes too']));
    }
    expect(authority.asked).toHaveLength(2);
    // It says nothing of these itself, and a route's rules are for backends.
    const askedFreely = NAMES.filter((name) => /^X-(?:Auth|Of)-/.test(name)).map((name) =>
      name.toUpperCase().replaceAll('-', '_'),
    );
    for (const request of authority.asked) {
      const wrong = [...variables(request)].filter(
        ([name, values]) => values.includes(FORGED) && !askedFreely.includes(name),
      );
      expect(wrong).toEqual([]);
    }
  },
);

test('nor beside the key that a client has proved to have', async () => {
  const backend = await startBackend();
  const identity = new Uint8Array(32).fill(1);
  const pin = await fingerprintOf(await publicKeyOf(identity));
  const gateway = await startTestGateway({ upstreams: [backend.url], clientKeys: { pins: [pin] } });
  await openClient(`${gateway.url}/echo`, [], {
    identity,
    headers: { X_PQ_Client_Key: FORGED, 'X-PQ_Client-Key': FORGED },
  });
  expect(variables((await backend.next()).request).get('X_PQ_CLIENT_KEY')).toEqual([pin]);
});
