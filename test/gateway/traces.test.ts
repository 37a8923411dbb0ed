/** Spans, with the SDK of OpenTelemetry from the registry: what it gets, and what backends are told. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useCommand } from '../support/command.ts';
import { once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { startBackend } from './backend.ts';
import { nextText, openClient, startTestGateway } from './support.ts';

const start = useCommand();
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${PARENT}-01`;

const exporter = new InMemorySpanExporter();
beforeEach(() => {
  exporter.reset();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
afterEach(() => {
  trace.disable();
  propagation.disable();
});

/** Waits for so many spans, in the order in which they ended. */
async function spans(count: number): Promise<readonly ReadableSpan[]> {
  return vi.waitUntil(() => {
    const finished = exporter.getFinishedSpans();
    return finished.length === count ? finished : undefined;
  });
}

test('a conversation: its request, its way to the backend and itself, below the trace that the client names', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], traces: true });
  const client = await openClient(`${gateway.url}/echo?secret=1`, [], { headers: { traceparent } });
  client.send('never in a span');
  expect(await nextText(client)).toBe('never in a span');
  client.close(4000, 'nor this');
  const [toBackend, request, conversation] = await spans(3);
  expect([toBackend, request, conversation].map((span) => [span?.name, span?.kind])).toEqual([
    ['backend', SpanKind.CLIENT],
    ['GET', SpanKind.SERVER],
    ['conversation', SpanKind.INTERNAL],
  ]);
  for (const span of [toBackend, request, conversation]) expect(span?.spanContext().traceId).toBe(TRACE);
  expect(request?.parentSpanContext?.spanId).toBe(PARENT);
  for (const span of [toBackend, conversation])
    expect(span?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
  // The backend's parent is the way to it.
  const { headers } = (await backend.next()).request;
  expect(headers['traceparent']).toBe(`00-${TRACE}-${toBackend?.spanContext().spanId}-01`);
  expect(request?.attributes).toEqual({
    'http.request.method': 'GET',
    'http.response.status_code': 101,
    'client.address': '127.0.0.1',
    'url.path': '/echo',
  });
  expect(toBackend?.attributes).toMatchObject({ 'pqws.backend': backend.url });
  expect(conversation?.attributes).toMatchObject({ 'pqws.end': 'client-closed', 'pqws.profile': 'v1' });
  const line = await vi.waitUntil(() => gateway.lines.find(({ message }) => message === 'closed'));
  expect(line.facts['trace']).toBe(TRACE);
  expect(JSON.stringify([request, toBackend, conversation].map((span) => span?.attributes))).not.toMatch(
    /secret|never|nor this/,
  );
});

test('without a trace of the client one begins, and the log has it', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], traces: true, plainHttp: 'upstream' });
  expect((await fetch(`http://${gateway.address}/page`)).status).toBe(200);
  const ended = await spans(2);
  const [toBackend, request] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) =>
    ended.find((span) => span.kind === kind),
  );
  expect(toBackend?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
  expect(toBackend?.spanContext().traceId).toBe(request?.spanContext().traceId);
  expect(request?.parentSpanContext).toBeUndefined();
  expect(request?.attributes).toMatchObject({ 'http.response.status_code': 200, 'url.path': '/page' });
});

test('refusals: of the gateway, of a backend, of one that is not there; and a handshake that fails', async () => {
  const backend = await startBackend();
  const upstreams = [backend.url];
  const gateway = await startTestGateway({
    routes: [
      { path: '/gone', upstreams: ['ws://127.0.0.1:1'], health: false },
      { path: '/refuse', upstreams },
      { path: '/echo', upstreams },
    ],
    traces: true,
  });
  expect((await refusedUpgrade(gateway.port, '/none', { traceparent })).status).toBe(404);
  const [noRoute] = await spans(1);
  expect(noRoute?.attributes).toMatchObject({ 'http.response.status_code': 404, 'error.type': 'no-route' });
  expect(noRoute?.status.code).toBe(SpanStatusCode.UNSET);
  expect(gateway.lines.at(-1)?.facts['trace']).toBe(TRACE);

  expect((await refusedUpgrade(gateway.port, '/refuse', {})).status).toBe(403);
  const refused = (await spans(3)).slice(1);
  expect(refused.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([403, 403]);

  expect((await refusedUpgrade(gateway.port, '/gone', {})).status).toBe(502);
  const gone = (await spans(5)).slice(3);
  expect(gone.map(({ attributes }) => attributes['error.type'])).toEqual([
    'upstream-unreachable',
    'upstream-unreachable',
  ]);
  expect(gone.map(({ status }) => status.code)).toEqual([SpanStatusCode.ERROR, SpanStatusCode.ERROR]);

  const other = await openClient(`${gateway.url}/echo`, [], { context: 'another' }).catch(() => undefined);
  other?.terminate();
  const failed = (await spans(7)).at(-1);
  expect(failed?.attributes['error.type']).toMatch(/^PQ_ERR_/);
  expect(failed?.status.code).toBe(SpanStatusCode.ERROR);
});

test('where nobody has asked for them there are none, and the header passes as it is', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url] });
  const client = await openClient(`${gateway.url}/`, [], { headers: { traceparent } });
  expect((await backend.next()).request.headers['traceparent']).toBe(traceparent);
  const closed = once(client, 'close');
  client.close();
  await closed;
  expect(exporter.getFinishedSpans()).toEqual([]);
});

test('as a process, with the SDK that NODE_OPTIONS loads, in every worker', { timeout: 120_000 }, async () => {
  const setup = path.join(path.dirname(start.script), 'telemetry.mjs');
  writeFileSync(
    setup,
    `import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
const exporter = {
  export(spans, done) {
    for (const { name } of spans) console.log(JSON.stringify({ msg: 'span ' + name }));
    done({ code: 0 });
  },
  shutdown: async () => {},
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
`,
  );
  const backend = await startBackend();
  const args = ['gateway', '-l', '127.0.0.1:0', '-u', backend.url, '--traces', 'true'];
  const gateway = start([...args, '--workers', '2'], { env: { NODE_OPTIONS: `--import ${setup}` } });
  const { listen } = await gateway.line('listening');
  await gateway.line('all workers listen');
  for (let i = 0; i < 2; i += 1) {
    const client = await openClient(`ws://${String(listen)}/`);
    client.close();
    await gateway.line('span conversation');
  }
  const without = await start(args).ended;
  expect(without.code).toBe(2);
  expect(without.stderr).toBe(
    '--traces: traces: expected an OpenTelemetry SDK, registered before: NODE_OPTIONS="--import FILE"\n',
  );
});
