/** The connection that the vectors are about: its inputs, its keys, and records sealed under them. Section numbers are PROTOCOL.md's. */
import { gcm } from '@noble/ciphers/aes.js';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import {
  type Bytes,
  type Side,
  type Delivered,
  utf8,
  hex,
  base64,
  cat,
  zeros,
  countUp,
  u16be,
  u32be,
  u64be,
} from './bytes.ts';

// ---- the inputs, all fixed --------------------------------------------------------------------------------

export const keySeed = countUp(64);
export const m = countUp(32, 0x40);
export const context = utf8('chat.example\n/room/7\nchat.v2');
/** maxPayload of the receiver in every case that can reach it. */
export const maxPayload = 65_536;
export const maxInner = Math.floor((Math.max(maxPayload, 262_144) * 9) / 8) + 65_536;
export const nonce = (tag: string, counter: number): Bytes => cat(utf8(tag), u64be(counter));
let caseCounter = 0;
export const caseNonce = (): Bytes => nonce('case', caseCounter++);

export const kem = ml_kem768.keygen(keySeed);
export const { cipherText, sharedSecret } = ml_kem768.encapsulate(kem.publicKey, m);
export const ek64 = base64(kem.publicKey);
export const ct64 = base64(cipherText);
export const clientHello = `{"pq_websocket":1,"ml_kem_768_encapsulation_key":"${ek64}"}`;
export const serverHello = `{"pq_websocket":1,"ml_kem_768_ciphertext":"${ct64}"}`;

// ---- 5, 6: transcript and key schedule --------------------------------------------------------------------

export function transcript(ch: string, sh: string, ctx?: Bytes): { input: Bytes; th: Bytes } {
  const parts = [utf8('pq-websocket/1 transcript')];
  for (const part of [utf8(ch), utf8(sh), ...(ctx ? [ctx] : [])]) parts.push(u32be(part.length), part);
  const input = cat(...parts);
  return { input, th: sha256(input) };
}

export interface Session {
  th: Bytes;
  exporter: Bytes;
  keys: Record<Side, Bytes[]>;
  steps: { name: string; ikm: string; prk: string; info: string; okm: string }[];
}

/** Every secret of a connection up to and including epoch 2 of both directions. */
export function schedule(ch: string, sh: string, ss: Bytes, ctx?: Bytes): Session {
  const { th } = transcript(ch, sh, ctx);
  const steps: Session['steps'] = [];
  const derive = (name: string, ikmName: string, ikm: Bytes, label: string): Bytes => {
    const prk = extract(sha256, ikm, th);
    const info = utf8(`pq-websocket/1 ${label}`);
    const okm = expand(sha256, prk, info, 32);
    steps.push({ name, ikm: ikmName, prk: hex(prk), info: hex(info), okm: hex(okm) });
    return okm;
  };
  const keys: Session['keys'] = { client: [], server: [] };
  const next: Record<Side, Bytes> = { client: ss, server: ss };
  for (const side of ['client', 'server'] as const) {
    keys[side].push(derive(`key[${side},0]`, 'ss', ss, `${side} key`));
    next[side] = derive(`next[${side},1]`, 'ss', ss, `${side} update`);
  }
  const exporter = derive('exporter', 'ss', ss, 'exporter');
  for (const epoch of [1, 2]) {
    for (const side of ['client', 'server'] as const) {
      const ikm = next[side];
      const ikmName = `next[${side},${epoch}]`;
      keys[side].push(derive(`key[${side},${epoch}]`, ikmName, ikm, `${side} key`));
      next[side] = derive(`next[${side},${epoch + 1}]`, ikmName, ikm, `${side} update`);
    }
  }
  return { th, exporter, keys, steps };
}

export function exportCase(session: Session, name: string, label: string, length: number): object {
  const info = cat(utf8('pq-websocket/1 export '), u16be(length), utf8(label));
  const out = expand(sha256, extract(sha256, session.exporter, session.th), info, length);
  const value = length > 64 ? { sha256: hex(sha256(out)) } : { bytes: hex(out) };
  return { name, label, length, info: hex(info), ...value };
}

export const plain = schedule(clientHello, serverHello, sharedSecret);
export const bound = schedule(clientHello, serverHello, sharedSecret, context);

// ---- 7: records -------------------------------------------------------------------------------------------

export const KIND = { text: 1, binary: 2, batch: 3, close: 4, update: 5, finished: 6, answer: 7 } as const;
export const inner = (content: Bytes, kind: number, padding = 0): Bytes =>
  cat(content, Uint8Array.of(kind), zeros(padding));
export const entry = (kind: number, payload: Bytes): Bytes => cat(Uint8Array.of(kind), u32be(payload.length), payload);
export const closeContent = (code: number, reason = ''): Bytes => cat(u16be(code), utf8(reason));
export const padTo = (content: Bytes, block: number): number => (block - ((content.length + 1) % block)) % block;

/** PADMÉ, section 7.3, in integers so that no length is too large for it. */
export function padme(length: number): number {
  if (length < 2) return length;
  const exponent = length.toString(2).length - 1;
  const bits = exponent.toString(2).length;
  const unit = 2 ** (exponent - bits);
  return exponent <= bits ? length : Math.ceil(length / unit) * unit;
}

export const sealAt = (key: Bytes, seq: number, plaintext: Bytes, iv: Bytes): Bytes =>
  cat(iv, gcm(key, iv, u64be(seq)).encrypt(plaintext));

export interface RecordOptions {
  session?: Session;
  epoch?: number;
  padding?: number;
  iv?: Bytes;
  delivers?: Delivered[];
}
/** One record with everything that went into it. */
export function record(
  name: string,
  from: Side,
  seq: number,
  kind: keyof typeof KIND,
  content: Bytes,
  options: RecordOptions = {},
) {
  const { session = plain, epoch = 0, padding = 0, iv = nonce(from === 'client' ? 'clnt' : 'srvr', seq) } = options;
  const key = session.keys[from][epoch]!;
  const plaintext = inner(content, KIND[kind], padding);
  return {
    name,
    from,
    seq,
    epoch,
    kind: KIND[kind],
    content: hex(content),
    padding,
    key: hex(key),
    nonce: hex(iv),
    aad: hex(u64be(seq)),
    inner: hex(plaintext),
    frame: hex(sealAt(key, seq, plaintext, iv)),
    delivers: options.delivers ?? [],
  };
}

/** A side's records in order: `seq` and the epoch are counted here. */
export function conversation(from: Side): {
  add: (name: string, kind: keyof typeof KIND, content: Bytes, delivers?: Delivered[], padding?: number) => void;
  records: ReturnType<typeof record>[];
} {
  const records: ReturnType<typeof record>[] = [];
  let epoch = 0;
  return {
    records,
    add: (name, kind, content, delivers = [], padding = 0) => {
      records.push(record(name, from, records.length, kind, content, { epoch, padding, delivers }));
      if (kind === 'update') epoch++;
    },
  };
}
