/** Spans, with the SDK of OpenTelemetry from the registry: what it gets, and what backends are told. */
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket as PlainWebSocket } from 'ws';
import { Route } from '../../packages/cli/src/gateway/routes.ts';
import { useCommand } from '../support/command.ts';
import { deferred, once } from '../support/deferred.ts';
import { refusedUpgrade } from '../support/ws-endpoints.ts';
import { until } from '../support/until.ts';
import { startBackend, startRecorder } from './backend.ts';
import { nextText, openClient, startTestGateway } from './support.ts';

const start = useCommand();
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const traceparent = `00-${TRACE}-${PARENT}-01`;

const HEADERS_OF_UPGRADE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';

const exporter = new InMemorySpanExporter();
/** Spans that have begun and not ended. */
const open = new Set<string>();
const counting: SpanProcessor = {
  onStart: (span) => open.add(span.spanContext().spanId),
  onEnd: (span) => open.delete(span.spanContext().spanId),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
beforeEach(() => {
  exporter.reset();
  open.clear();
  const spanProcessors = [new SimpleSpanProcessor(exporter), counting];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});
afterEach(() => {
  trace.disable();
  propagation.disable();
});

/** Waits for so many spans, in the order in which they ended. */
async function spans(count: number): Promise<readonly ReadableSpan[]> {
  return vi.waitUntil(
    () => {
      const finished = exporter.getFinishedSpans();
      return finished.length === count ? finished : undefined;
    },
    { timeout: 10_000 },
  );
}

test('a conversation: its request, its way to the backend and itself, below the trace that a trusted proxy names', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], traces: true, trustedProxies: ['127.0.0.1'] });
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
  const line = await until(() => gateway.lines.find(({ message }) => message === 'closed'));
  expect(line.facts['trace']).toBe(TRACE);
  expect(JSON.stringify([request, toBackend, conversation].map((span) => span?.attributes))).not.toMatch(
    /secret|never|nor this/,
  );
});

describe('what a request says of a trace', () => {
  /** A plain request and an upgrade that name one, as a backend and who is asked before get them. */
  const asked = async (trustedProxies?: string[]): Promise<IncomingMessage[]> => {
    const backend = await startRecorder();
    const authority = await startRecorder();
    const gateway = await startTestGateway({
      routes: [{ upstreams: [`ws://${backend.url}`], health: false, auth: { url: `http://${authority.url}/` } }],
      traces: true,
      plainHttp: 'upstream',
      ...(trustedProxies !== undefined && { trustedProxies }),
    });
    const headers = { traceparent, tracestate: 'vendor=1', baggage: 'shop=berlin' };
    expect((await fetch(`http://${gateway.address}/`, { headers })).status).toBe(204);
    expect((await refusedUpgrade(gateway.port, '/', headers)).status).toBe(403);
    const all = [...backend.asked, ...authority.asked];
    expect(all).toHaveLength(4);
    return all;
  };

  test('is a link where anybody may say it, and nothing of it goes on but what is no trace', async () => {
    propagation.disable();
    propagation.setGlobalPropagator(
      new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
    );
    const received = await asked();
    const ended = await spans(4);
    const requests = ended.filter(({ kind }) => kind === SpanKind.SERVER);
    expect(requests).toHaveLength(2);
    for (const request of requests) {
      expect(request.spanContext().traceId).not.toBe(TRACE);
      expect(request.parentSpanContext).toBeUndefined();
      expect(request.links.map(({ context }) => [context.traceId, context.spanId])).toEqual([[TRACE, PARENT]]);
    }
    const own = new Set(ended.map((span) => span.spanContext().spanId));
    for (const { headers } of received) {
      expect(own).toContain(String(headers['traceparent']).split('-')[2]);
      expect(headers['tracestate']).toBeUndefined();
      expect(headers['baggage']).toBe('shop=berlin');
    }
  });

  test('is continued where a trusted proxy says it', async () => {
    const received = await asked(['127.0.0.1']);
    for (const span of await spans(4)) {
      expect(span.spanContext().traceId).toBe(TRACE);
      expect(span.links).toEqual([]);
    }
    for (const { headers } of received)
      expect(headers).toMatchObject({ tracestate: 'vendor=1', baggage: 'shop=berlin' });
  });

  test.each([
    ['anybody, has none', undefined, 0],
    ['a trusted proxy, has spans', ['127.0.0.1'], 4],
  ])('said by %s recorded that the operator does not sample', async (_who, trusted, count) => {
    trace.disable();
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({
        sampler: new ParentBasedSampler({ root: new AlwaysOffSampler() }),
        spanProcessors: [new SimpleSpanProcessor(exporter)],
      }),
    );
    const received = await asked(trusted);
    for (const { headers } of received) expect(headers['traceparent']).toMatch(count === 0 ? /-00$/ : /-01$/);
    await spans(count);
  });
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
  expect((await refusedUpgrade(gateway.port, '/none', {})).status).toBe(404);
  const [noRoute] = await spans(1);
  expect(noRoute?.attributes).toMatchObject({ 'http.response.status_code': 404, 'error.type': 'no-route' });
  expect(noRoute?.status.code).toBe(SpanStatusCode.UNSET);
  expect(gateway.lines.at(-1)?.facts['trace']).toBe(noRoute?.spanContext().traceId);

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

test('a handshake that fails has its reason in the span, whoever hears of the end first', async () => {
  const backend = await startBackend();
  const gateway = await startTestGateway({ upstreams: [backend.url], traces: true });
  const plain = new PlainWebSocket(`${gateway.url}/echo`, ['pqws.v1']);
  plain.on('error', () => undefined);
  plain.once('open', () => {
    plain.send('no hello');
  });
  await once(plain, 'close');
  const [, request] = await spans(2);
  const line = await until(() => gateway.lines.find(({ message }) => message === 'the secure handshake failed'));
  expect(line.facts['code']).not.toBe('PQ_ERR_CLOSED_EARLY');
  expect(request?.attributes).toMatchObject({ 'http.response.status_code': 101, 'error.type': line.facts['code'] });
  expect(request?.status.code).toBe(SpanStatusCode.ERROR);
});

test.each(['http', 'ws'])(
  'a client that goes while its backend is dialled leaves no span open (%s)',
  async (scheme) => {
    const backend = await startBackend();
    const gateway = await startTestGateway({ upstreams: [backend.url], traces: true, plainHttp: 'upstream' });
    const dialling = deferred();
    const gate = deferred();
    const { dial } = Route.prototype;
    const held = vi.spyOn(Route.prototype, 'dial').mockImplementation(async function (this: Route, ...given) {
      dialling.resolve();
      await gate.promise;
      return dial.apply(this, given);
    });
    onTestFinished(() => {
      held.mockRestore();
    });
    const client = connect(gateway.port, '127.0.0.1');
    const upgrade = scheme === 'ws' ? HEADERS_OF_UPGRADE : '';
    client.write(`GET / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n`);
    await dialling.promise;
    expect(open.size).toBe(2);
    client.destroy();
    await spans(1);
    gate.resolve();
    await spans(2);
    expect(open.size).toBe(0);
  },
);

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
