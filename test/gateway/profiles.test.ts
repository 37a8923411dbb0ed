/** Clients of both profiles on one port, and what each costs and counts. */
import { expect, test } from 'vitest';
import { once } from '../support/deferred.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';

const YELLOWPAGES = { profile: 'yellowpages', verifyAttestation: false } as const;

test('yellowpages beside v1, both ways, to the close', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], profiles: ['v1', 'yellowpages'] });
  for (const options of [YELLOWPAGES, {}]) {
    const client = await openClient(`${gateway.url}/echo`, [], options);
    client.send(Buffer.from('sealed'));
    expect(await nextText(client)).toBe('sealed');
    const { closed, log } = await backend.next();
    const ended = once(client as never, 'close');
    client.close(4001, 'done');
    expect(await closed).toBe(4001);
    await ended;
    expect(log).toEqual(['binary sealed', 'close 4001 done']);
  }
  const { body } = await gateway.admin('/metrics');
  expect(metric(body, 'pqws_gateway_handshakes_total{result="ok"}')).toBe(2);
  expect(metric(body, 'pqws_gateway_handshake_seconds_count')).toBe(2);
  expect(metric(body, 'pqws_gateway_ends_total{end="client-closed"}')).toBe(2);
  expect(gateway.lines.filter(({ message }) => message === 'closed').map(({ facts }) => facts['profile'])).toEqual([
    'yellowpages',
    'v1',
  ]);
});

test('a backend that speaks first is heard by a yellowpages client that says nothing', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], profiles: ['yellowpages'] });
  const client = await openClient(`${gateway.url}/greet`, [], YELLOWPAGES);
  expect(await nextText(client)).toBe('one');
});

test('who asks for no yellowpages gets none', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  await expect(openClient(`${gateway.url}/echo`, [], YELLOWPAGES)).rejects.toMatchObject({ closeCode: 3768 });
  const accepted = await backend.next();
  expect(await accepted.closed).toBe(1006);
});

test("the backend's close reaches a yellowpages client", async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], profiles: ['yellowpages'] });
  const client = await openClient(`${gateway.url}/close?code=4002&reason=because`, [], YELLOWPAGES);
  const [code, reason] = await once<[number, Buffer]>(client, 'close');
  expect([code, reason.toString()]).toEqual([4002, 'because']);
});
