/** Heads of HTTP messages that others wrote: node:http's parser takes more than its writer does. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { backendName, endToEnd, valuesOf } from './headers.ts';

/** What a reason phrase may be (RFC 9112 4): as it is in an answer of ours, or the answer is none. */
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** @param rawHeaders names and values in turn */
export function areWritable(rawHeaders: readonly string[]): boolean {
  try {
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      validateHeaderName(rawHeaders[i] as string);
      validateHeaderValue(rawHeaders[i] as string, rawHeaders[i + 1] as string);
    }
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a message is of HTTP/1, which is all that is spoken here: node:http's parser takes a few others by their names, and what they
 * would mean nobody has agreed on (RFC 9112 2.3, RFC 9110 15.6.6).
 */
export function isOfHttp1({ httpVersionMajor }: Pick<IncomingMessage, 'httpVersionMajor'>): boolean {
  return httpVersionMajor === 1;
}

/** Whether a body's coding is one that the gateway undoes (RFC 9112 6.1); what is left of another would pass for the body. */
export function isChunkedAlone(codings: readonly string[]): boolean {
  return codings.length === 1 && codings[0]?.trim().toLowerCase() === 'chunked';
}

/** Whether an answer can be passed on as it is: a final status, a head that can be written, and a body that can be read. */
export function isPassable(answer: IncomingMessage): boolean {
  const { statusCode: status, statusMessage: reason, rawHeaders } = answer;
  if (!isOfHttp1(answer)) return false;
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  if (codings.length > 0 && !isChunkedAlone(codings)) return false;
  return status !== undefined && status >= 200 && status <= 999 && REASON.test(reason ?? '') && areWritable(rawHeaders);
}

/** The headers of an answer that are for the client. RFC 9110 8.6: a 204 has no length, and who believed in one would wait for a body. */
export function headersOnward({ statusCode, rawHeaders }: IncomingMessage): [name: string, value: string][] {
  const onward = endToEnd(rawHeaders);
  return statusCode === 204 ? onward.filter(([name]) => backendName(name) !== 'content-length') : onward;
}
