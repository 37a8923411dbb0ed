/** Who the client is: the peer of the connection, or whom a trusted proxy names. */
import { BlockList, isIP } from 'node:net';

/** Networks whose X-Forwarded-* and Forwarded headers are believed. */
export class TrustedProxies {
  readonly #list = new BlockList();

  /** @param networks addresses and CIDR blocks that `isNetwork` accepts */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [address = '', prefix] = network.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  trusts(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The nearest address that is not a trusted proxy's.
   * @param forwardedFor the X-Forwarded-For header: each proxy has appended its peer
   */
  clientOf(peer: string, forwardedFor: string | undefined): string {
    let client = peer;
    const hops = (forwardedFor ?? '').split(',').map((hop) => withoutPort(hop.trim()));
    while (this.trusts(client)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(hop) === 0) break;
      client = plainAddress(hop);
    }
    return client;
  }
}

export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 6 ? 128 : 32));
}

/** An IPv4 address that came through an IPv6 socket, as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** What limits count by: an IPv4 address, or the /64 that one IPv6 customer has at least. */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right]
    .slice(0, 4)
    .map((group) => parseInt(group, 16).toString(16))
    .join(':');
}

function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1];
  return bracketed ?? (isIP(hop) === 0 ? hop.replace(/:\d+$/, '') : hop);
}
