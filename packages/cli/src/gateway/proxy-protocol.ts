/** PROXY protocol headers, versions 1 and 2: whom a TCP load balancer speaks for. */

import { isIP } from 'node:net';

export interface ProxiedAddress {
  /** The client's address; undefined where the proxy speaks for itself (v1 UNKNOWN, v2 LOCAL) or over a unix socket. */
  readonly source: { readonly address: string; readonly port: number } | undefined;
}

export type ProxyHeader =
  | { readonly type: 'incomplete' }
  | { readonly type: 'invalid' }
  | { readonly type: 'header'; readonly length: number; readonly proxied: ProxiedAddress };

/** proxy-protocol.txt 2.1: the longest line of version 1, its CRLF included. */
const MAX_V1 = 107;
/** Version 2 headers carry TLVs; no proxy needs more than this. */
const MAX_V2 = 4_096;
const V2_SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const V2_FIXED = 16;

const INCOMPLETE: ProxyHeader = { type: 'incomplete' };
const INVALID: ProxyHeader = { type: 'invalid' };
const V1 = /^PROXY (?:UNKNOWN(?: .*)?|TCP([46]) ([^ %]+) ([^ %]+) (\d{1,5}) (\d{1,5}))$/;
const MAX_PORT = 65_535;

/** Reads the header at the start of a connection. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const signature = bytes.subarray(0, V2_SIGNATURE.length);
  if (signature.equals(V2_SIGNATURE.subarray(0, signature.length))) {
    return signature.length < V2_SIGNATURE.length ? INCOMPLETE : readV2(bytes);
  }
  return readV1(bytes);
}

function readV1(bytes: Buffer): ProxyHeader {
  const start = 'PROXY ';
  const head = bytes.subarray(0, MAX_V1).toString('latin1');
  if (!head.startsWith(start.slice(0, head.length))) return INVALID;
  const end = head.indexOf('\r\n');
  if (end < 0) return bytes.length < MAX_V1 ? INCOMPLETE : INVALID;
  const match = V1.exec(head.slice(0, end));
  if (match === null) return INVALID;
  const [, family, address = '', destination = '', port, ownPort] = match;
  const length = end + 2;
  if (family === undefined) return { type: 'header', length, proxied: { source: undefined } };
  // To take the proxy for the client in place of one that cannot be read would let the client say who it is.
  if ([address, destination].some((each) => isIP(each) !== Number(family))) return INVALID;
  if (Number(port) > MAX_PORT || Number(ownPort) > MAX_PORT) return INVALID;
  return { type: 'header', length, proxied: { source: { address, port: Number(port) } } };
}

function readV2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED) return INCOMPLETE;
  const version = bytes.readUInt8(12) >> 4;
  const command = bytes.readUInt8(12) & 0x0f;
  const family = bytes.readUInt8(13);
  const length = V2_FIXED + bytes.readUInt16BE(14);
  if (version !== 2 || command > 1 || length > MAX_V2) return INVALID;
  if (bytes.length < length) return INCOMPLETE;
  const block = bytes.subarray(V2_FIXED, length);
  const source = command === 0 ? undefined : v2Source(family, block);
  return source === 'invalid' ? INVALID : { type: 'header', length, proxied: { source } };
}

function v2Source(family: number, block: Buffer): ProxiedAddress['source'] | 'invalid' {
  switch (family) {
    // TCP over IPv4.
    case 0x11:
      if (block.length < 12) return 'invalid';
      return { address: [...block.subarray(0, 4)].join('.'), port: block.readUInt16BE(8) };
    // TCP over IPv6.
    case 0x21: {
      if (block.length < 36) return 'invalid';
      const groups = Array.from({ length: 8 }, (_, index) => block.readUInt16BE(index * 2).toString(16));
      return { address: groups.join(':'), port: block.readUInt16BE(32) };
    }
    default:
      // Unspecified, unix sockets and datagrams have no address of TCP. Others are no family, or no way to talk (2.2).
      return family >> 4 > 3 || (family & 0x0f) > 2 ? 'invalid' : undefined;
  }
}
