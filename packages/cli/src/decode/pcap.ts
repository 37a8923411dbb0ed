/** Reads what tcpdump, tshark and Wireshark write: pcap and pcapng, either byte order, gzipped or not. */
import { gunzipSync } from 'node:zlib';

export interface Packet {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** LINKTYPE_ value of what `bytes` begin with. */
  readonly link: number;
  readonly bytes: Buffer;
}

export interface Capture {
  readonly packets: readonly Packet[];
  /** What the reader must know of what is missing. */
  readonly problems: readonly string[];
}

/** It is no capture that this can read. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
}

/** No packet is longer: a file that says so is broken. */
const MAX_PACKET_BYTES = 2 ** 26;
/** What a gzipped capture may unpack to: as much as Node reads of a file that is not gzipped. */
const MAX_UNZIPPED_BYTES = 2 ** 31;
/** What `Date` takes (ECMA-262 21.4.1.1). */
const MAX_TIME = 8.64e15;
const TRUNCATED = 'the capture file is cut off: its last packet is left out';
const BROKEN = 'the capture file is broken from here on: what follows is left out';

/**
 * @param maxUnzipped bytes
 * @throws {CaptureError}
 */
export function readCapture(file: Buffer, maxUnzipped = MAX_UNZIPPED_BYTES): Capture {
  const bytes = file.length > 2 && file.readUInt16BE(0) === 0x1f8b ? unzipped(file, maxUnzipped) : file;
  if (bytes.length < 4) throw new CaptureError('not a capture: the file is empty');
  switch (bytes.readUInt32BE(0)) {
    case 0xa1b2c3d4:
      return readPcap(new Reader(bytes, false), 1e3);
    case 0xd4c3b2a1:
      return readPcap(new Reader(bytes, true), 1e3);
    case 0xa1b23c4d:
      return readPcap(new Reader(bytes, false), 1e6);
    case 0x4d3cb2a1:
      return readPcap(new Reader(bytes, true), 1e6);
    case 0x0a0d0d0a:
      return readPcapng(bytes);
    default:
      throw new CaptureError('not a capture: expected pcap or pcapng');
  }
}

function unzipped(file: Buffer, maxOutputLength: number): Buffer {
  try {
    return gunzipSync(file, { maxOutputLength });
  } catch (cause) {
    const isLong = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    const why = isLong ? `unpacks to more than ${maxOutputLength} bytes: split it` : 'does not unpack';
    throw new CaptureError(`not a capture that this can read: its gzip ${why}`, { cause });
  }
}

class Reader {
  constructor(
    readonly bytes: Buffer,
    private readonly isLittle: boolean,
  ) {}

  u32(at: number): number {
    return this.isLittle ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }

  i64(at: number): number {
    return Number(this.isLittle ? this.bytes.readBigInt64LE(at) : this.bytes.readBigInt64BE(at));
  }

  u16(at: number): number {
    return this.isLittle ? this.bytes.readUInt16LE(at) : this.bytes.readUInt16BE(at);
  }
}

/** @param perMillisecond of the fraction's unit */
function readPcap(reader: Reader, perMillisecond: number): Capture {
  const { bytes } = reader;
  if (bytes.length < 24) throw new CaptureError('not a capture: its header is cut off');
  // Above the link type are bits on frame check sequences.
  const link = reader.u32(20) & 0xffff;
  const packets: Packet[] = [];
  let at = 24;
  while (at + 16 <= bytes.length) {
    const length = reader.u32(at + 8);
    if (length > MAX_PACKET_BYTES) return { packets, problems: [BROKEN] };
    if (at + 16 + length > bytes.length) break;
    const time = reader.u32(at) * 1_000 + reader.u32(at + 4) / perMillisecond;
    packets.push({ at: time, link, bytes: bytes.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return { packets, problems: at < bytes.length ? [TRUNCATED] : [] };
}

/** Of pcapng: how an interface's packets begin, and how many of its ticks a millisecond has. */
interface Interface {
  readonly link: number;
  readonly ticks: number;
  /** Milliseconds that are added to each time. */
  readonly offset: number;
  readonly snap: number;
}

const BLOCK = { SECTION: 0x0a0d0d0a, INTERFACE: 1, PACKET: 2, SIMPLE: 3, ENHANCED: 6 } as const;

function readPcapng(bytes: Buffer): Capture {
  const packets: Packet[] = [];
  let interfaces: Interface[] = [];
  let reader = new Reader(bytes, true);
  let at = 0;
  while (at + 12 <= bytes.length) {
    const type = bytes.readUInt32BE(at) === BLOCK.SECTION ? BLOCK.SECTION : reader.u32(at);
    if (type === BLOCK.SECTION) {
      reader = new Reader(bytes, bytes.readUInt32LE(at + 8) === 0x1a2b3c4d);
      interfaces = [];
    }
    const length = reader.u32(at + 4);
    if (length < 12 || length % 4 !== 0 || length > MAX_PACKET_BYTES) return { packets, problems: [BROKEN] };
    if (at + length > bytes.length) break;
    if (type === BLOCK.INTERFACE) {
      const read = readInterface(reader, at, length);
      if (read === 'broken') return { packets, problems: [BROKEN] };
      interfaces.push(read);
    } else if (type !== BLOCK.SECTION) {
      const packet = readPacket(type, reader, at, length, interfaces);
      if (packet === 'broken') return { packets, problems: [BROKEN] };
      if (packet !== undefined) packets.push(packet);
    }
    at += length;
  }
  return { packets, problems: at < bytes.length ? [TRUNCATED] : [] };
}

function readInterface(reader: Reader, at: number, length: number): Interface | 'broken' {
  if (length < 20) return 'broken';
  let ticks = 1e3;
  let offset = 0;
  const end = at + length - 4;
  for (let option = at + 16; option + 4 <= end;) {
    const code = reader.u16(option);
    const size = reader.u16(option + 2);
    if (code === 0) break;
    if (option + 4 + size > end) return 'broken';
    if (code === 9 && size === 1) {
      // if_tsresol: a power of ten, or of two where its highest bit is set.
      const value = reader.bytes.readUInt8(option + 4);
      ticks = (value & 0x80 ? 2 ** (value & 0x7f) : 10 ** value) / 1_000;
    }
    // if_tsoffset: seconds, signed.
    if (code === 14 && size === 8) offset = reader.i64(option + 4) * 1_000;
    option += 4 + Math.ceil(size / 4) * 4;
  }
  return { link: reader.u16(at + 8), ticks, offset, snap: reader.u32(at + 12) };
}

function readPacket(
  type: number,
  reader: Reader,
  at: number,
  length: number,
  interfaces: readonly Interface[],
): Packet | 'broken' | undefined {
  const isKnown = type === BLOCK.ENHANCED || type === BLOCK.PACKET || type === BLOCK.SIMPLE;
  // Names, statistics, keys of TLS: nothing of ours.
  if (!isKnown) return undefined;
  const isSimple = type === BLOCK.SIMPLE;
  const number = isSimple ? 0 : type === BLOCK.ENHANCED ? reader.u32(at + 8) : reader.u16(at + 8);
  const from = interfaces[number];
  if (from === undefined || length < (isSimple ? 16 : 32)) return 'broken';
  const start = at + (isSimple ? 12 : 28);
  const said = isSimple ? Math.min(reader.u32(at + 8), from.snap || Infinity) : reader.u32(at + 20);
  if (start + said > at + length - 4) return 'broken';
  const time = isSimple ? 0 : (reader.u32(at + 12) * 2 ** 32 + reader.u32(at + 16)) / from.ticks + from.offset;
  if (Math.abs(time) > MAX_TIME) return 'broken';
  return { at: time, link: from.link, bytes: reader.bytes.subarray(start, start + said) };
}
