/** Who the client is: the peer of the connection, or whom a trusted proxy names. */
import { BlockList, isIP } from 'node:net';

/** Addresses and networks. */
export class AddressList {
  readonly #list = new BlockList();

  /** @param networks addresses and CIDR blocks that `isNetwork` accepts */
  constructor(networks: readonly string[]) {
    for (const network of networks) {
      const [given = '', prefix] = network.split('/');
      const address = prefix === undefined ? plainAddress(given) : given;
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** Where nobody but the operator's own machines are: loopback, and the networks of RFC 1918, 4193, 3927 and 4291 2.5.6. */
export const OWN_NETWORKS: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
];

/** What a peer on a unix socket is called, who has no address: in limits and logs, and where proxies are listed. */
export const UNIX_PEER = 'unix';

/** Networks whose X-Forwarded-* and Forwarded headers are believed. */
export class TrustedProxies {
  readonly #list: AddressList;
  readonly #trustsUnix: boolean;

  /** @param sources addresses and CIDR blocks that `isNetwork` accepts, and `UNIX_PEER` */
  constructor(sources: readonly string[]) {
    this.#list = new AddressList(sources.filter((source) => source !== UNIX_PEER));
    this.#trustsUnix = sources.includes(UNIX_PEER);
  }

  trusts(address: string): boolean {
    return address === UNIX_PEER ? this.#trustsUnix : this.#list.has(address);
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

/** RFC 4291 2.5.5.2: an IPv4 address that is written as an IPv6 one, in whatever way, as IPv4. One address is one address. */
export function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  if (groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff) return address;
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** What limits count by: an IPv4 address, or the /64 that one IPv6 customer has at least. */
export function addressGroup(given: string): string {
  const address = plainAddress(given);
  if (isIP(address) !== 6) return address;
  return groupsOf(address)
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = withoutZone(address).split('::');
  const left = partsOf(head);
  const right = partsOf(tail ?? '');
  const zeros = tail === undefined ? [] : Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0);
  return [...left, ...zeros, ...right];
}

function partsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function withoutZone(address: string): string {
  return address.split('%', 1)[0] as string;
}

function withoutPort(hop: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1];
  return bracketed ?? (isIP(hop) === 0 ? hop.replace(/:\d+$/, '') : hop);
}
