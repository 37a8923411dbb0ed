/** What an operator relies on: no round trip is added by the gateway, drips do not keep a place, and metrics are numbers that add up. */
import { connect } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { once } from '../support/deferred.ts';
import { startTap } from '../support/tap.ts';
import { startBackend } from './backend.ts';
import { metric, nextText, openClient, startTestGateway } from './support.ts';

test('fast open: the answer is there before the client has sent one frame', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  // Nothing of the client passes but its upgrade request, whose hello is among the subprotocols.
  const tap = await startTap(gateway.port, {
    onFrame: ({ direction }) => (direction === 'client' ? 'drop' : 'forward'),
  });
  onTestFinished(() => tap.close());
  const client = await openClient(`${tap.url}/greet`, [], { fastOpen: true });
  expect(client.readyState).toBe(client.OPEN);
  // The backend is read, and gets anything, only once the client has proved itself live.
  const { log } = await backend.next();
  expect(log).toEqual([]);
  const [connection] = tap.connections;
  expect(connection?.frames.filter(({ direction }) => direction === 'server').length).toBe(2);
});

test('without fast open the same client waits for its round trip', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], timeouts: { handshake: 300 } });
  const tap = await startTap(gateway.port, {
    onFrame: ({ direction }) => (direction === 'client' ? 'drop' : 'forward'),
  });
  onTestFinished(() => tap.close());
  await expect(openClient(`${tap.url}/greet`)).rejects.toThrow();
});

test('a head that comes a byte at a time is ended when its time is over, however long it drips', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], timeouts: { header: 400 } });
  const socket = connect(gateway.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nX-Slow: ');
  let dripped = 0;
  const drip = setInterval(() => {
    dripped += 1;
    socket.write('x');
  }, 20);
  await once(socket, 'close');
  clearInterval(drip);
  expect(dripped).toBeGreaterThan(2);
  expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_unreadable_total{reason="header-timeout"}')).toBe(
    1,
  );
  expect(backend.accepted()).toBe(0);
});

test('metrics of one conversation', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/echo`);
  for (const text of ['one', 'three']) {
    client.send(text);
    expect(await nextText(client)).toBe(text);
  }
  const { recordsSealed, recordsOpened, bytesSealed, bytesOpened } = client.pq.counters;
  const { body } = await gateway.admin('/metrics');
  const numbers = (...series: string[]): number[] => series.map((each) => metric(body, `pqws_gateway_${each}`));
  expect(
    numbers(
      'connections',
      'handshakes_total{result="ok"}',
      'handshake_seconds_count',
      'handshake_seconds_bucket{le="+Inf"}',
    ),
  ).toEqual([1, 1, 1, 1]);
  expect(metric(body, 'pqws_gateway_handshake_seconds_sum')).toBeGreaterThan(0);
  expect(
    numbers(
      'messages_total{direction="in"}',
      'messages_total{direction="out"}',
      'bytes_total{direction="in"}',
      'bytes_total{direction="out"}',
    ),
  ).toEqual([2, 2, 8, 8]);
  // What the one end seals the other opens.
  expect(numbers('records_total{direction="in"}', 'records_total{direction="out"}')).toEqual([
    recordsSealed,
    recordsOpened,
  ]);
  expect(numbers('sealed_bytes_total{direction="in"}', 'sealed_bytes_total{direction="out"}')).toEqual([
    bytesSealed,
    bytesOpened,
  ]);
  const labels = `{route="route 1",backend="${backend.url}"}`;
  expect(numbers(`backend_up${labels}`, `backend_connections${labels}`)).toEqual([1, 1]);
  for (const name of ['nodejs_eventloop_lag_seconds', 'nodejs_eventloop_lag_p99_seconds'])
    expect(body).toMatch(new RegExp(`^${name} [\\d.e-]+$`, 'm'));
  const { closed } = await backend.next();
  client.close(4000);
  expect(await closed).toBe(4000);
  await vi.waitUntil(
    async () => metric((await gateway.admin('/metrics')).body, 'pqws_gateway_ends_total{end="client-closed"}') === 1,
    { timeout: 10_000 },
  );
  expect(metric((await gateway.admin('/metrics')).body, 'pqws_gateway_connections')).toBe(0);
});

test('routes of one name, and a backend that stands twice, are counted together', async () => {
  const backend = await startBackend();
  const upstreams = [backend.url, backend.url];
  const gateway = await startTestGateway({
    routes: [
      { name: 'all', path: '/one', upstreams },
      { name: 'all', path: '/two', upstreams: [backend.url] },
    ],
  });
  for (const path of ['/one', '/one', '/two']) await openClient(`${gateway.url}${path}`);
  const { body } = await gateway.admin('/metrics');
  expect(metric(body, `pqws_gateway_backend_connections{route="all",backend="${backend.url}"}`)).toBe(3);
  expect(metric(body, `pqws_gateway_backend_up{route="all",backend="${backend.url}"}`)).toBe(1);
});
