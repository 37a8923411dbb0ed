/** What a server's upgrade request offers as subprotocols (PROTOCOL.md 13), whatever the request is an object of. */
import type { ReceivedOffer } from '../protocol/v1/fast-open.ts';
import { readOffer } from '../protocol/v1/fast-open.ts';
import { FAST_OPEN_PROTOCOL } from '../protocol/v1/reserved-names.ts';
import type { UpgradeRequest } from '../api/types.ts';
import { described } from '../options/channel.ts';

const HEADER = 'sec-websocket-protocol';

/** @throws {TypeError} for what is no request */
export function offerOf(where: string, request: unknown): ReceivedOffer {
  const { headers } = (request ?? {}) as Partial<UpgradeRequest>;
  if (typeof headers !== 'object' || (headers as object | null) === null) {
    throw new TypeError(`${where}: 'request' must be the upgrade request, with its headers, got ${described(request)}`);
  }
  const value = isHeaders(headers) ? headers.get(HEADER) : Object.hasOwn(headers, HEADER) ? headers[HEADER] : undefined;
  return readOffer(protocolsOf(typeof value === 'string' ? value : (value ?? []).join(',')));
}

/** Rule 5: the first of the application's that is accepted, else `pqws1` if the application offers none. */
export function selectFrom(offer: ReceivedOffer, accepted: readonly string[]): string | undefined {
  if (offer.application.length > 0) return offer.application.find((protocol) => accepted.includes(protocol));
  return offer.fastOpen ? FAST_OPEN_PROTOCOL : undefined;
}

/** RFC 9110 5.6.1: a list, with white space around its members. They are judged by the code that upgrades. */
export function protocolsOf(header: string): string[] {
  return header === '' ? [] : header.split(',').map((protocol) => protocol.replace(/^[ \t]+|[ \t]+$/g, ''));
}

function isHeaders(headers: UpgradeRequest['headers']): headers is { get(name: string): string | null } {
  // A polluted `Object.prototype` makes no Headers of Node's plain object.
  const { get } = headers as { get?: unknown };
  return typeof get === 'function' && get !== (Object.prototype as { get?: unknown }).get;
}
