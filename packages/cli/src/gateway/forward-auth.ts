/** Asks a URL whether a request may pass, before its backend hears of it: 2xx lets it, anything else does not. */
import { request as plainRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Asked } from './asked.ts';
import type { Denial } from './denials.ts';
import { backendName, beyondUpgrade, forwardedHeaders, valuesOf } from './headers.ts';
import type { Headers } from './headers.ts';
import { areWritable, isOfHttp1 } from './message-heads.ts';

export interface ForwardAuthConfig {
  readonly url: string;
  /** Milliseconds for the answer's head. */
  readonly timeout: number;
  /** Headers of the answer that the backend gets, in place of whatever the client says in them. */
  readonly pass: readonly string[];
}

export type ForwardAuthResult =
  { readonly type: 'allowed'; readonly headers: Headers } | { readonly type: 'denied'; readonly denial: Denial };

/** What an asker learns of a refusal: how to do better. */
const TOLD = ['www-authenticate', 'location', 'set-cookie', 'retry-after'];

/** What says for which request it is asked, here or to others of its kind. */
const OF_THE_QUESTION = /^x-(?:original-.*|forwarded-(?:method|uri))$/;

/** Without an answer nobody passes. */
const UNANSWERED: ForwardAuthResult = { type: 'denied', denial: { reason: 'auth-unreachable', status: 502 } };

/** @param abort ends the question when the client goes away */
export async function forwardAuth(
  { url, timeout, pass }: ForwardAuthConfig,
  asked: Asked,
  abort: AbortSignal,
): Promise<ForwardAuthResult> {
  const { request, target, client } = asked;
  const passing = beyondUpgrade(request.rawHeaders).filter(([name]) => !OF_THE_QUESTION.test(backendName(name)));
  const { host } = new URL(url);
  const headers: Headers = {
    ...forwardedHeaders(request.rawHeaders, passing, client.forwarding, target.host, host),
    'X-Forwarded-Method': request.method ?? 'GET',
    'X-Forwarded-Uri': target.target,
    'X-Request-Id': asked.id,
    Connection: 'close',
  };
  let answer: IncomingMessage;
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(timeout), abort]);
    answer = await ask(url, asked.trace?.passedOn(headers) ?? headers, signal);
  } catch {
    return UNANSWERED;
  }
  answer.destroy();
  const { statusCode = 0, rawHeaders } = answer;
  if (!isOfHttp1(answer) || !areWritable(rawHeaders)) return UNANSWERED;
  if (statusCode >= 200 && statusCode < 300) {
    const given: Headers = {};
    // Those that the answer does not have are not the client's to say either.
    for (const name of pass) given[name] = valuesOf(rawHeaders, name.toLowerCase());
    return { type: 'allowed', headers: given };
  }
  // A server in trouble is not a client without rights.
  if (statusCode < 300 || statusCode >= 500) return UNANSWERED;
  const told = Object.fromEntries(
    // Each for itself: cookies cannot be joined (RFC 9110 5.3).
    TOLD.map((name) => [name, valuesOf(rawHeaders, name)] as const).filter(([, values]) => values.length > 0),
  );
  return { type: 'denied', denial: { reason: 'auth', status: statusCode, headers: told } };
}

function ask(url: string, headers: Headers, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('https:') ? secureRequest : plainRequest;
    const asked = request(url, { headers, signal });
    asked.once('response', resolve);
    asked.on('error', reject);
    asked.once('close', () => {
      reject(new Error('no answer'));
    });
    asked.end();
  });
}
