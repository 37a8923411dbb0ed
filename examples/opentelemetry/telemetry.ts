/**
 * OpenTelemetry on top of `diagnostics_channel`: a span for each secure connection, and metrics of its messages. Nothing that is said
 * gets here: the channels tell sizes alone.
 *
 *     import { metrics, trace } from '@opentelemetry/api';
 *     traceSockets(trace.getTracer('my-app'), metrics.getMeter('my-app'));
 */
import diagnostics from 'node:diagnostics_channel';
import type { InspectEnd, InspectEvent, InspectOpen } from 'pq-websocket/inspect';

type Attributes = Record<string, string | number | boolean>;

/** What this uses of `@opentelemetry/api`'s. */
interface Span {
  setAttributes(attributes: Attributes): unknown;
  addEvent(name: string, attributes?: Attributes): unknown;
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(): void;
}
export interface Tracer {
  startSpan(name: string, options: { readonly kind: number; readonly attributes: Attributes }): Span;
}
export interface Meter {
  createHistogram(
    name: string,
    options: { readonly unit: string; readonly description: string },
  ): { record(value: number, attributes: Attributes): void };
}

/** SpanKind and SpanStatusCode of `@opentelemetry/api`. */
const KIND = { server: 1, client: 2 } as const;
const ERROR = 2;

const CHANNELS = ['start', 'open', 'accepted', 'message', 'key-update', 'exchange', 'failure', 'close'] as const;

/**
 * Call it before connections begin.
 * @returns what ends it
 */
export function traceSockets(tracer: Tracer, meter: Meter): () => void {
  const spans = new Map<number, Span>();
  const sizes = meter.createHistogram('pq_websocket.message.size', {
    unit: 'By',
    description: 'Bytes of messages, before they are sealed',
  });
  const handshakes = meter.createHistogram('pq_websocket.handshake.duration', {
    unit: 'ms',
    description: 'From the start of the key agreement until the peer has proved itself',
  });

  function listen(message: unknown): void {
    const event = message as InspectEvent;
    if (event.type === 'start') {
      const attributes = { 'url.full': event.url ?? '', 'pq_websocket.role': event.role };
      spans.set(event.socket, tracer.startSpan('pq-websocket', { kind: KIND[event.role], attributes }));
      return;
    }
    const span = spans.get(event.socket);
    if (span === undefined) return;
    if (event.type === 'message') sizes.record(event.size, { direction: event.direction, kind: event.kind });
    else if (event.type === 'open' || event.type === 'accepted') opened(span, event);
    else if (event.type === 'control') span.addEvent(event.kind, { direction: event.direction });
    else if (event.type === 'failure') span.addEvent('failure', { code: event.code });
    else if (event.type === 'end') ended(event, span);
  }

  function opened(span: Span, { type, channel }: InspectOpen): void {
    span.addEvent(type);
    span.setAttributes({
      'pq_websocket.profile': channel.profile,
      'pq_websocket.kem': channel.kem,
      'pq_websocket.backend': channel.backend,
    });
    if (type === 'accepted' && channel.handshakeMilliseconds !== undefined) {
      handshakes.record(channel.handshakeMilliseconds, { kem: channel.kem });
    }
  }

  function ended({ socket, code, wasClean, failure }: InspectEnd, span: Span): void {
    spans.delete(socket);
    span.setAttributes({ 'pq_websocket.close.code': code, 'pq_websocket.close.clean': wasClean });
    if (failure !== undefined) span.setStatus({ code: ERROR, message: failure });
    span.end();
  }

  for (const name of CHANNELS) diagnostics.subscribe(`pq-websocket:${name}`, listen);
  return () => {
    for (const name of CHANNELS) diagnostics.unsubscribe(`pq-websocket:${name}`, listen);
    for (const span of spans.values()) span.end();
    spans.clear();
  };
}
