/**
 * OpenTelemetry traces, where the operator has registered an SDK: spans of requests, of their way to a backend, and of
 * conversations. Nothing that anybody says is in them, and no query.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Api from '@opentelemetry/api';
import type { Attributes, Context, Span, SpanKind, Tracer } from '@opentelemetry/api';
import type { Config } from './config.ts';
import { problemAt } from './config-error.ts';
import type { Problems } from './config-error.ts';
import { backendName } from './headers.ts';
import type { Headers } from './headers.ts';

/** Where each copy of the API finds what an SDK has registered with another. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');
const NAME = 'pq-websocket-cli';

/** How it came out. */
export interface Outcome {
  /** Of HTTP. */
  readonly status?: number | undefined;
  /** The gateway's own word for what went wrong. */
  readonly reason?: string | undefined;
  readonly attributes?: Attributes;
  /** When it was over, where that is not now: milliseconds as of `Date.now()`. */
  readonly at?: number;
}

/** One span, and what is below it. */
export class Trace {
  #isOver = false;

  constructor(
    private readonly api: typeof Api,
    private readonly tracer: Tracer,
    private readonly context: Context,
    private readonly span: Span,
  ) {}

  /** Of the whole trace, for the log. */
  get id(): string {
    return this.span.spanContext().traceId;
  }

  /** The headers as the next one gets them: this span is its parent, in whatever form the SDK says that. */
  passedOn(headers: Headers): Headers {
    const carrier: Record<string, string> = {};
    this.api.propagation.inject(this.context, carrier);
    // Those too that it leaves out: what a client says in them belongs to no trace of ours.
    const own = new Set(this.api.propagation.fields().map(backendName));
    return {
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(backendName(name)))),
      ...carrier,
    };
  }

  /** Its way to a backend. */
  toBackend(): Trace {
    return this.#below('backend', this.api.SpanKind.CLIENT);
  }

  /** What it has become. */
  conversation(facts: Attributes): Trace {
    return this.#below('conversation', this.api.SpanKind.INTERNAL, facts);
  }

  /** Later calls do nothing. */
  end({ status, reason, attributes = {}, at }: Outcome = {}): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.span.setAttributes({
      ...attributes,
      ...(status !== undefined && { 'http.response.status_code': status }),
      ...(reason !== undefined && { 'error.type': reason }),
    });
    // A client's own mistake is no error of a server's span.
    const isError = status === undefined || status < 400 ? reason !== undefined : status >= 500;
    if (isError) this.span.setStatus({ code: this.api.SpanStatusCode.ERROR });
    this.span.end(at);
  }

  #below(name: string, kind: SpanKind, attributes: Attributes = {}): Trace {
    const span = this.tracer.startSpan(name, { kind, attributes }, this.context);
    return new Trace(this.api, this.tracer, this.api.trace.setSpan(this.context, span), span);
  }
}

/** A request, as far as a trace goes by it. */
export interface Begun {
  readonly method: string;
  readonly pathname: string | undefined;
  /** Its address. */
  readonly client: string;
  /** By lower-case names. */
  readonly headers: Record<string, unknown>;
  /** Whether it comes from somebody whose word about it is believed. */
  readonly isTrusted: boolean;
}

export class Traces {
  readonly #tracer: Tracer;

  constructor(private readonly api: typeof Api) {
    this.#tracer = api.trace.getTracer(NAME);
  }

  /**
   * Begins one for a request: below the one that it names, where who sends it is believed, and else a new one with a link to that.
   * So whether it is recorded is the SDK's to say (W3C Trace Context 3.4 "Restart trace", 7.2).
   */
  begin({ method, pathname, client, headers, isTrusted }: Begun): Trace {
    const { api } = this;
    const named = api.propagation.extract(api.ROOT_CONTEXT, headers);
    const parent = isTrusted ? named : this.#restarted(named);
    const link = isTrusted ? undefined : api.trace.getSpanContext(named);
    const attributes = {
      'http.request.method': method,
      'client.address': client,
      ...(pathname !== undefined && { 'url.path': pathname }),
    };
    const options = { kind: api.SpanKind.SERVER, attributes, links: link === undefined ? [] : [{ context: link }] };
    const span = this.#tracer.startSpan(method, options, parent);
    return new Trace(api, this.#tracer, api.trace.setSpan(parent, span), span);
  }

  /** What an application says along the way goes on, and no trace with its flags, in whatever form the SDK reads them. */
  #restarted(named: Context): Context {
    const { propagation, ROOT_CONTEXT } = this.api;
    const baggage = propagation.getBaggage(named);
    return baggage === undefined ? ROOT_CONTEXT : propagation.setBaggage(ROOT_CONTEXT, baggage);
  }
}

/** What is registered in this process; undefined where none is wanted, or one of the problems says why there is none. */
export async function loadTraces(config: Config, problems: Problems): Promise<Traces | undefined> {
  if (!config.settings.traces) return undefined;
  const problem = (message: string): undefined => {
    problems.add(problemAt(config, ['traces'], message));
  };
  const registered = (globalThis as { [REGISTRY]?: { trace?: unknown; version?: string } })[REGISTRY];
  if (registered?.trace === undefined)
    return problem('expected an OpenTelemetry SDK, registered before: NODE_OPTIONS="--import FILE"');
  for (const load of [ofWorkingDirectory, ofGateway]) {
    const api = await load();
    // A copy that is newer than the SDK's does not see what that has registered.
    if (api !== undefined && (api.trace.getTracerProvider() as unknown) === registered.trace) return new Traces(api);
  }
  return problem(
    `expected @opentelemetry/api of the SDK's version, ${registered.version ?? 'unknown'}, where it starts`,
  );
}

function ofWorkingDirectory(): typeof Api | undefined {
  try {
    return createRequire(path.join(process.cwd(), 'gateway.js'))('@opentelemetry/api') as typeof Api;
  } catch {
    return undefined;
  }
}

async function ofGateway(): Promise<typeof Api | undefined> {
  return import('@opentelemetry/api').catch(() => undefined);
}
