/** One path is one path, however its bytes are written (RFC 3986 6.2.2): it is routed and forwarded as what it is. */
import { describe, expect, test } from 'vitest';
import { plainPath } from '../../packages/cli/src/gateway/request-target.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend } from './backend.ts';
import { startTestGateway } from './support.ts';

describe('a route for some addresses alone', () => {
  test.each([
    ['letters', '/admin/*', '/%61dmin/x', '/admin/x'],
    ['letters in capitals', '/Admin/*', '/%41dmi%6E/x', '/Admin/x'],
    ['marks', '/a-b_c.d~e/*', '/a%2Db%5fc%2ed%7Ee/x', '/a-b_c.d~e/x'],
    ['bytes of other letters', '/caf\u00e9/*', '/caf%c3%A9/x', '/caf%C3%A9/x'],
    ['and dots, before', '/admin/*', '/other/%2E%2e/%61dmin/x', '/admin/x'],
    ['a pattern in escapes', '/%61dm%69n/*', '/admin/x', '/admin/x'],
    ['a pattern in escapes of small letters', '/a%2fb/*', '/a%2Fb/x', '/a%2Fb/x'],
    ['a variable before an escape', '/:room-%61', '/x-a', '/x-a'],
  ])('is not passed by: %s', async (_name, path, asked, forwarded) => {
    const backend = await startBackend();
    const upstreams = [backend.url];
    const options = { plainHttp: 'upstream' } as const;
    const shut = await startTestGateway({
      ...options,
      routes: [{ path, upstreams, deny: ['127.0.0.1'] }, { upstreams }],
    });
    expect((await refusedUpgrade(shut.port, asked, {})).status).toBe(403);
    const open = await startTestGateway({ ...options, routes: [{ path, upstreams }] });
    // Not by fetch alone: it has an opinion of dots.
    expect(await (await fetch(`http://${open.address}${asked}`)).text()).toBe(`GET ${forwarded} `);
  });
});

test('a prefix is one in escapes too', async () => {
  const backend = await startBackend();
  const routes = [{ upstreams: [backend.url], rewritePrefix: { from: '/%63hat', to: '/' } }];
  const gateway = await startTestGateway({ plainHttp: 'upstream', routes });
  for (const path of ['/chat/a', '/%63h%61t/a'])
    expect(await (await fetch(`http://${gateway.address}${path}`)).text(), path).toBe('GET /a ');
});

test.each(['/x/%2%65%2%65/admin/x', '/%%361dmin/x', '/%zz/../%61dmin/x%', '/admin%4'])(
  'a path whose percent is no escape is refused, before it can become one: %s',
  async (asked) => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ plainHttp: 'upstream', routes: [{ upstreams: [backend.url] }] });
    expect((await refusedUpgrade(gateway.port, asked, {})).status).toBe(400);
    expect((await fetch(`http://${gateway.address}${asked}`)).status).toBe(400);
    // A query is opaque: nothing routes by it, and nothing of it is decoded here.
    expect(await (await fetch(`http://${gateway.address}/?${asked}`)).text()).toBe(`GET /?${asked} `);
  },
);

test('what means something else as an escape stays one, and what is none stays as it is', () => {
  expect(plainPath('/a%2fb%25%36%31%3a%40%20%00%zz%4')).toBe('/a%2Fb%2561%3A%40%20%00%zz%4');
});
