/** Puts TCP streams together from captured packets: whatever order they come in, repeated or overlapping. */
import type { Packet } from './pcap.ts';

export interface Endpoints {
  readonly source: string;
  readonly target: string;
}

/** Who hears of a connection, in the order of the capture. */
export interface StreamListener {
  /** @param fromFirst whether the end that the capture has first heard of says it */
  data(fromFirst: boolean, bytes: Buffer, at: number): void;
  /** Bytes that the capture lacks: nothing that follows of this direction is given. */
  gap(fromFirst: boolean, bytes: number): void;
  /** The capture has ended. */
  end(): void;
}

interface Segment {
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly at: number;
}

interface TcpPacket extends Segment, Endpoints {
  readonly isSyn: boolean;
  readonly isAck: boolean;
}

/** A segment that waits for what comes before it. */
interface Waiting {
  /** Where its first byte stands in its direction, from 0: numbers of TCP are 32 bits, and wrap. */
  readonly start: number;
  readonly bytes: Buffer;
  readonly at: number;
}

/** One direction of a connection. */
class Direction {
  /** TCP's number of the byte at 0; undefined until something was heard. */
  #base: number | undefined;
  /** Where the next byte stands that is to be delivered. */
  #next = 0;
  /** Where the latest segment stands: the next one is near it, and not near what is delivered, where a packet was lost long ago. */
  #latest = 0;
  /** By `start`. */
  readonly #waiting: Waiting[] = [];
  first: number | undefined;

  constructor(private readonly deliver: (bytes: Buffer, at: number) => void) {}

  /** @param isSyn whether it takes a number of its own (RFC 9293 3.4) */
  add({ sequence, bytes, at }: Segment, isSyn: boolean): void {
    if (isSyn) {
      this.#base ??= (sequence + 1) >>> 0;
      this.first ??= sequence;
      return;
    }
    if (bytes.length === 0) return;
    this.#base ??= sequence;
    const start = this.#latest + ((sequence - this.#base - this.#latest) | 0);
    this.#latest = Math.max(this.#latest, start);
    this.#waiting.splice(this.#placeOf(start), 0, { start, bytes, at });
    this.#deliver();
  }

  /** Bytes missing before what waits, and 0 where nothing does. */
  get missing(): number {
    const [first] = this.#waiting;
    return first === undefined ? 0 : first.start - this.#next;
  }

  /** @returns behind all that waits and begins there or before */
  #placeOf(start: number): number {
    let [low, high] = [0, this.#waiting.length];
    // Most come in order.
    if ((this.#waiting.at(-1)?.start ?? 0) <= start) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#waiting[middle] as Waiting).start <= start) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #deliver(): void {
    let done = 0;
    for (const { start, bytes, at } of this.#waiting) {
      if (start > this.#next) break;
      done += 1;
      const known = this.#next - start;
      if (known >= bytes.length) continue;
      this.#next += bytes.length - known;
      this.deliver(bytes.subarray(known), at);
    }
    if (done > 0) this.#waiting.splice(0, done);
  }
}

interface Connection {
  readonly first: string;
  readonly directions: Readonly<Record<'first' | 'second', Direction>>;
  readonly listener: StreamListener;
}

export class Streams {
  /** By both ends' addresses; of a pair that is used again, the latest. */
  readonly #connections = new Map<string, Connection>();
  readonly #all: Connection[] = [];
  readonly problems = new Set<string>();

  constructor(private readonly open: (ends: Endpoints) => StreamListener) {}

  add(packet: Packet): void {
    const ip = networkOf(packet);
    if (ip === undefined) {
      this.problems.add(
        `packets of link type ${packet.link} are left out: ask tcpdump for Ethernet, loopback or "any"`,
      );
      return;
    }
    const tcp = tcpOf(ip, packet.at, (problem) => this.problems.add(problem));
    if (tcp !== undefined) this.#segment(tcp);
  }

  /** The capture has ended. */
  end(): void {
    for (const { directions, listener } of this.#all) {
      for (const [name, direction] of Object.entries(directions)) {
        if (direction.missing > 0) listener.gap(name === 'first', direction.missing);
      }
      listener.end();
    }
  }

  #segment(tcp: TcpPacket): void {
    const key = [tcp.source, tcp.target].sort().join(' ');
    let connection = this.#connections.get(key);
    const isNew = tcp.isSyn && !tcp.isAck && connection?.directions.first.first !== tcp.sequence;
    if (connection === undefined || isNew) {
      connection = this.#begin(tcp);
      this.#connections.set(key, connection);
    }
    const { first, directions } = connection;
    directions[tcp.source === first ? 'first' : 'second'].add(tcp, tcp.isSyn);
  }

  #begin({ source, target }: Endpoints): Connection {
    const listener = this.open({ source, target });
    const direction = (isFirst: boolean): Direction =>
      new Direction((bytes, at) => {
        listener.data(isFirst, bytes, at);
      });
    const connection = { first: source, directions: { first: direction(true), second: direction(false) }, listener };
    this.#all.push(connection);
    return connection;
  }
}

/** LINKTYPE_ values (tcpdump.org) by where IP begins; a function where the header says. */
const LINKS: Readonly<Record<number, (bytes: Buffer) => number>> = {
  0: () => 4,
  1: ethernetHeader,
  12: () => 0,
  14: () => 0,
  101: () => 0,
  108: () => 4,
  113: () => 16,
  228: () => 0,
  229: () => 0,
  276: () => 20,
};

/** Past VLAN tags (IEEE 802.1Q). */
function ethernetHeader(bytes: Buffer): number {
  let at = 12;
  while (at + 4 <= bytes.length && [0x8100, 0x88a8, 0x9100].includes(bytes.readUInt16BE(at))) at += 4;
  return at + 2;
}

/** From IP's header on; undefined for a link that is not known. */
function networkOf({ link, bytes }: Packet): Buffer | undefined {
  return LINKS[link] && bytes.subarray(LINKS[link](bytes));
}

/** IPv6 extension headers that may stand before TCP (RFC 8200 4): hop-by-hop, routing, destination, and authentication. */
const EXTENSIONS: readonly number[] = [0, 43, 60, 51];
const TCP = 6;
const FRAGMENT = 44;
const FRAGMENTS = 'IP fragments are left out: they are not put together here';
const SNAPPED = 'packets are cut off by the capture (tcpdump -s 0 keeps them whole)';

function tcpOf(ip: Buffer, at: number, problem: (text: string) => void): TcpPacket | undefined {
  const version = ip.length > 0 ? ip.readUInt8(0) >> 4 : 0;
  const found = version === 4 ? ipv4(ip, problem) : version === 6 ? ipv6(ip, problem) : undefined;
  if (found === undefined) return undefined;
  const { from, to, rest, length } = found;
  if (rest.length < 20) return undefined;
  const header = (rest.readUInt8(12) >> 4) * 4;
  if (rest.length < length) problem(SNAPPED);
  const flags = rest.readUInt8(13);
  return {
    at,
    source: `${from}:${rest.readUInt16BE(0)}`,
    target: `${to}:${rest.readUInt16BE(2)}`,
    sequence: rest.readUInt32BE(4),
    // Behind IP's own length is the link's padding.
    bytes: rest.subarray(header, length),
    isSyn: (flags & 2) !== 0,
    isAck: (flags & 16) !== 0,
  };
}

interface Found {
  readonly from: string;
  readonly to: string;
  readonly rest: Buffer;
  /** Of TCP's header and payload, as IP has it. */
  readonly length: number;
}

function ipv4(ip: Buffer, problem: (text: string) => void): Found | undefined {
  if (ip.length < 20 || ip.readUInt8(9) !== TCP) return undefined;
  if ((ip.readUInt16BE(6) & 0x3fff) !== 0) {
    problem(FRAGMENTS);
    return undefined;
  }
  const header = (ip.readUInt8(0) & 15) * 4;
  // 0 where the network card cuts the segments (TSO).
  const total = ip.readUInt16BE(2) || ip.length;
  const address = (start: number): string => [...ip.subarray(start, start + 4)].join('.');
  return { from: address(12), to: address(16), rest: ip.subarray(header), length: total - header };
}

function ipv6(ip: Buffer, problem: (text: string) => void): Found | undefined {
  if (ip.length < 40) return undefined;
  const total = (ip.readUInt16BE(4) || ip.length - 40) + 40;
  let header = ip.readUInt8(6);
  let start = 40;
  while (EXTENSIONS.includes(header) && start + 8 <= ip.length) {
    const next = ip.readUInt8(start);
    start += header === 51 ? (ip.readUInt8(start + 1) + 2) * 4 : (ip.readUInt8(start + 1) + 1) * 8;
    header = next;
  }
  if (header === FRAGMENT) problem(FRAGMENTS);
  if (header !== TCP) return undefined;
  const address = (at: number): string => {
    const groups = Array.from({ length: 8 }, (_, group) => ip.readUInt16BE(at + 2 * group).toString(16));
    return `[${groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::')}]`;
  };
  return { from: address(8), to: address(24), rest: ip.subarray(start), length: total - start };
}
