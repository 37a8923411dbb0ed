/** The pages and scripts that engines load, the commands of the cases, and the records that come back. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deferred } from '../../support/deferred.ts';
import type { Deferred } from '../../support/deferred.ts';
import type { CaseRecord } from './record.ts';
import type { Entry } from './scene.ts';
import type { CaseServer } from './servers.ts';

export type Variant = 'native' | 'class' | 'polyfill';
export const VARIANTS: readonly Variant[] = ['native', 'class', 'polyfill'];
export const BROWSER_CONTEXTS = ['window', 'dedicated worker', 'shared worker', 'service worker'] as const;
export type Context = (typeof BROWSER_CONTEXTS)[number] | 'node';

/** A run that says nothing for so long has died. */
const SILENCE_MS = 40_000;

export interface Choice {
  readonly pattern: string;
  readonly sample: boolean;
}

/** By file name: `cases.js`, `class.js`, and `polyfill.js` with its parts. */
export type Scripts = Readonly<Record<string, string>>;

/** One variant in one context of one engine. */
class Run {
  readonly records: CaseRecord[] = [];
  readonly #finished: Deferred<readonly CaseRecord[]> = deferred();
  #timer: NodeJS.Timeout | undefined;

  readonly #name: string;
  readonly variant: Variant;

  constructor(name: string, variant: Variant) {
    this.#name = name;
    this.variant = variant;
    this.#finished.promise.catch(() => undefined);
    this.#wait();
  }

  get finished(): Promise<readonly CaseRecord[]> {
    return this.#finished.promise;
  }

  add(record: CaseRecord): void {
    this.records.push(record);
    this.#wait();
  }

  /** @throws {Error} where it is ours that did not end */
  again(name: string): void {
    if (this.variant !== 'native') throw new Error(`${this.#name}: no case of ours runs twice`);
    console.log(`${this.#name}: '${name}' did not end, and runs once more`);
    this.#wait();
  }

  done(count: number): void {
    clearTimeout(this.#timer);
    if (count === this.records.length) this.#finished.resolve(this.records);
    else this.#finished.reject(new Error(`${this.#name}: ${this.records.length} records of ${count} cases came`));
  }

  failed(error: Error): void {
    clearTimeout(this.#timer);
    this.#finished.reject(error);
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const last = this.records.at(-1)?.name ?? 'none';
      this.failed(
        new Error(`${this.#name}: nothing came for ${SILENCE_MS / 1000} s; the last record was of '${last}'`),
      );
    }, SILENCE_MS);
  }
}

export class Harness {
  readonly #runs = new Map<string, Run>();
  readonly #http = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      json(response, { error: String(error) });
    });
  });

  readonly #scripts: Scripts;
  readonly #plain: CaseServer;
  readonly #secure: CaseServer;

  private constructor(scripts: Scripts, plain: CaseServer, secure: CaseServer) {
    this.#scripts = scripts;
    this.#plain = plain;
    this.#secure = secure;
  }

  /** @param startServer starts the plain server, or with true the secure one */
  static async start(scripts: Scripts, startServer: (secure: boolean) => Promise<CaseServer>): Promise<Harness> {
    const harness = new Harness(scripts, await startServer(false), await startServer(true));
    await new Promise<void>((resolve) => {
      harness.#http.listen(0, '127.0.0.1', resolve);
    });
    return harness;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const run of this.#runs.values()) run.failed(new Error('stopped'));
    this.#http.close();
    this.#http.closeAllConnections();
    await Promise.all([this.#plain.stop(), this.#secure.stop()]);
  }

  /**
   * @param which part of the names of the cases, and whether only the sample of them runs
   * @returns the query for the engine's page or program, and the records once all are there
   */
  expect(
    name: string,
    variant: Variant,
    context: Context,
    which: Choice,
  ): { query: string; records: Promise<readonly CaseRecord[]>; failed: (error: Error) => void } {
    const id = `run${this.#runs.size + 1}`;
    const run = new Run(`${name}, ${context}, ${variant}`, variant);
    this.#runs.set(id, run);
    const server = variant === 'native' ? this.#plain.url : this.#secure.url;
    const query = new URLSearchParams({
      server,
      harness: this.origin,
      variant,
      run: id,
      context,
      pattern: which.pattern,
      sample: String(which.sample),
    }).toString();
    return {
      query,
      records: run.finished,
      failed: (error) => {
        run.failed(error);
      },
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.origin);
    if (request.method === 'POST') {
      json(response, await this.#posted(url.pathname, JSON.parse(await bodyOf(request))));
      return;
    }
    const found = this.#file(url);
    const policy = found?.policy ?? undefined;
    response.writeHead(found === undefined ? 404 : 200, {
      'content-type': found?.type ?? 'text/plain',
      'cache-control': 'no-store',
      // For the frame of an opaque origin: the polyfill's parts are loaded with a hash.
      'access-control-allow-origin': '*',
      ...(policy === undefined ? {} : { 'content-security-policy': policy }),
    });
    response.end(found?.content ?? '');
  }

  #file(url: URL): { type: string; content: string; policy?: string | null } | undefined {
    const script = (content: string): { type: string; content: string } => ({
      type: 'text/javascript; charset=utf-8',
      content,
    });
    switch (url.pathname) {
      case '/worker.js':
        return script(
          `importScripts(${scriptsOf(url.searchParams.get('variant'))
            .map((name) => JSON.stringify(name))
            .join()});`,
        );
      case '/frame/':
        return {
          type: 'text/html; charset=utf-8',
          content: frameOf(url.searchParams.get('variant')),
          policy: url.searchParams.get('policy'),
        };
      case '/page/':
        return { type: 'text/html; charset=utf-8', content: pageOf(url.search) };
      default: {
        const content = this.#scripts[url.pathname.slice(1)];
        return content === undefined ? undefined : script(content);
      }
    }
  }

  async #posted(path: string, body: unknown): Promise<unknown> {
    switch (path) {
      case '/control': {
        const { id, command, values } = body as { id: string; command: string; values: unknown[] };
        const of = this.#runs.get(id.split('-')[0] ?? '')?.variant === 'native' ? this.#plain : this.#secure;
        return { result: (await of.command(id, command, values)) ?? null };
      }
      case '/result': {
        const { run, name, entries } = body as { run: string; name: string; entries: Entry[] };
        this.#runs.get(run)?.add({ name, entries });
        return {};
      }
      case '/again': {
        const { run, name } = body as { run: string; name: string };
        this.#runs.get(run)?.again(name);
        return {};
      }
      case '/done': {
        const { run, count } = body as { run: string; count: number };
        this.#runs.get(run)?.done(count);
        return {};
      }
      case '/failed': {
        const { run, message } = body as { run: string; message: string };
        this.#runs.get(run)?.failed(new Error(message));
        return {};
      }
      default:
        throw new Error(`nothing to post to: ${path}`);
    }
  }
}

/** Which scripts make the class of a variant, before the cases. */
function scriptsOf(variant: string | null): string[] {
  return [
    ...(variant === 'polyfill' ? ['/polyfill.js'] : []),
    ...(variant === 'class' ? ['/class.js'] : []),
    '/cases.js',
  ];
}

/** A frame of a case, with the class but no cases. */
function frameOf(variant: string | null): string {
  const scripts = scriptsOf(variant).filter((name) => name !== '/cases.js');
  return `<!doctype html><meta charset="utf-8">${scripts.map((name) => `<script src="${name}"></script>`).join('')}`;
}

/** A page for a window, or one that starts the worker and tells of its failure. */
function pageOf(query: string): string {
  const parameters = new URLSearchParams(query);
  const context = parameters.get('context');
  const head =
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>conformance</title><link rel="icon" href="data:,">';
  if (context === 'window')
    return (
      head +
      scriptsOf(parameters.get('variant'))
        .map((name) => `<script src="${name}"></script>`)
        .join('')
    );
  return `${head}<script>
    const failed = (error) => fetch('/failed', { method: 'POST', body: JSON.stringify({ run: ${JSON.stringify(parameters.get('run'))}, message: String(error && (error.message || error)) }) });
    const url = '/worker.js' + location.search;
    const start = {
      'dedicated worker': () => { new Worker(url).onerror = failed; },
      'shared worker': () => { new SharedWorker(url).onerror = failed; },
      'service worker': async () => {
        const { installing, active } = await navigator.serviceWorker.register(url, { scope: '/service-' + ${JSON.stringify(parameters.get('run'))} + '/' });
        (installing || active).postMessage('start');
      },
    };
    Promise.resolve().then(start[${JSON.stringify(context)}]).catch(failed);
  </script>`;
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
