/** The cases of the vectors, run on the reference peer: what differs from what a case says, or nothing. */
import { readFileSync } from 'node:fs';
import { type Bytes, type KemName, sha256, signingKey, seal } from './primitives.ts';
import { fingerprintOf } from './hellos.ts';
import type { Message, Outputs, Seen, Sent, Setup } from './peer.ts';
import { openFrame, readInner } from './records.ts';
import type { Side } from './schedule.ts';
import { concat, hex, same, utf8 } from './text.ts';

export type LongValue = string | readonly (string | { readonly repeat: string; readonly times: number })[];
export interface WireMessage {
  readonly text?: LongValue;
  readonly binary?: LongValue;
  readonly seal?: {
    readonly key: string;
    readonly nonce: string;
    readonly aad: string;
    readonly inner: LongValue;
    readonly frameSha256: string;
  };
}
export interface CaseSetup {
  readonly profile?: 'yellowpages' | 'both';
  readonly kems?: readonly KemName[];
  readonly context?: string;
  readonly pins?: readonly string[];
  readonly fingerprints?: readonly string[];
  readonly verifier?: boolean;
  readonly identity?: string;
  readonly attester?: true;
  readonly clientKeys?: readonly string[];
  readonly clientFingerprints?: readonly string[];
  readonly exchange?: true | { readonly milliseconds: number };
  readonly heartbeat?: { readonly interval: number; readonly timeout: number } | true;
  readonly maxPayload?: number;
  readonly padding?: number | 'padme';
  readonly subprotocols?: readonly string[];
  readonly held?: readonly ('verify' | 'sign')[];
  readonly rekey?: { readonly records?: number; readonly bytes?: number; readonly milliseconds?: number };
  readonly epochRecords?: number;
  readonly seqFrom?: number;
  readonly frames?: number;
}
export interface RecordSent {
  readonly generation: number;
  readonly epoch: number;
  readonly seq: number;
  readonly kind: number;
  readonly key: string;
  readonly content?: string;
  readonly padding?: number;
  readonly frame?: string;
}
export interface CaseStep {
  readonly start?: true;
  readonly receive?: WireMessage;
  readonly send?: { readonly text?: LongValue; readonly binary?: LongValue };
  readonly close?: { readonly code?: number; readonly reason?: string };
  readonly exchange?: true;
  readonly ping?: string;
  readonly finish?: 'verify' | 'sign';
  readonly result?: 'ok' | 'refused';
  readonly advance?: number;
  readonly transportClosed?: number;
  readonly reason?: string;
  readonly export?: { readonly label: string; readonly length: number };
  readonly sends?: readonly {
    readonly text?: string;
    readonly record?: RecordSent;
    readonly anyContent?: RecordSent;
    readonly frame?: string;
  }[];
  readonly delivers?: readonly { readonly text?: LongValue; readonly binary?: LongValue }[];
  readonly accepts?: true;
  readonly exchanged?: number;
  readonly answered?: string;
  readonly fails?: number;
  readonly closes?: number | 'no code';
  readonly exports?: string;
}
export interface VectorCase {
  readonly id: string;
  readonly title: string;
  readonly class: string;
  readonly sections: readonly string[];
  readonly needs: readonly string[];
  readonly to: Side;
  readonly setup: CaseSetup;
  readonly after?: string;
  readonly steps: readonly CaseStep[];
  readonly seen?: Seen;
}

const unhex = (text: string): Bytes => new Uint8Array(Buffer.from(text, 'hex'));
const long = (value: LongValue): string =>
  typeof value === 'string'
    ? value
    : value.map((piece) => (typeof piece === 'string' ? piece : piece.repeat.repeat(piece.times))).join('');
const made = new WeakMap<object, Bytes>();

/** What the transport delivers. @throws {Error} where a sealed frame is not the one that the vectors mean */
export function wireMessage(message: WireMessage): string | Bytes {
  if (message.text !== undefined) return long(message.text);
  if (message.binary !== undefined) return unhex(long(message.binary));
  const { seal: parts } = message;
  if (parts === undefined) throw new Error('a message that is nothing');
  let frame = made.get(parts);
  if (frame === undefined) {
    const nonce = unhex(parts.nonce);
    frame = concat(nonce, seal(unhex(parts.key), nonce, unhex(parts.aad), unhex(long(parts.inner))));
    if (hex(sha256(frame)) !== parts.frameSha256) throw new Error('frameSha256 differs');
    made.set(parts, frame);
  }
  return frame;
}

interface Inputs {
  readonly kems: readonly {
    readonly name: KemName;
    readonly agreements: readonly { readonly keySeed: string; readonly m: string }[];
  }[];
  readonly keys: readonly { readonly name: string; readonly seed: string }[];
}
let inputs: Inputs | undefined;
/** Seeds of extensions.json, which every file of cases shares. */
function readInputs(): Inputs {
  inputs ??= JSON.parse(readFileSync(new URL('../vectors/extensions.json', import.meta.url), 'utf8')) as Inputs;
  return inputs;
}
const keyOf = (name: string): { publicKey: Bytes; secretKey: Bytes } => {
  const key = readInputs().keys.find((candidate) => candidate.name === name);
  if (key === undefined) throw new Error(`no key named ${name}`);
  return signingKey(unhex(key.seed));
};
const PREFIX = utf8('document of the vectors for ');

export function setupOf(setup: CaseSetup): Setup {
  const agreements = (kem: KemName, generation: number): { keySeed: string; m: string } =>
    readInputs().kems.find(({ name }) => name === kem)!.agreements[generation]!;
  const accepted = [
    ...(setup.clientKeys ?? []).map((name) => fingerprintOf(keyOf(name).publicKey)),
    ...(setup.clientFingerprints ?? []).map((name) => fingerprintOf(keyOf(name).publicKey)),
  ];
  return {
    kems: [...(setup.kems ?? (['ml-kem-768'] as const))],
    context: setup.context === undefined ? undefined : unhex(setup.context),
    pins: (setup.pins ?? []).map((name) => keyOf(name).publicKey),
    fingerprints: (setup.fingerprints ?? []).map((name) => fingerprintOf(keyOf(name).publicKey)),
    verifier: setup.verifier
      ? (document, due) => due.some((userData) => same(document, concat(PREFIX, userData)))
      : undefined,
    identity: setup.identity === undefined ? undefined : keyOf(setup.identity),
    attester: setup.attester ? (userData) => concat(PREFIX, userData) : undefined,
    clientKeys: accepted.length > 0 ? (key) => accepted.some((print) => same(print, fingerprintOf(key))) : undefined,
    exchange: setup.exchange === true ? 3_600_000 : setup.exchange?.milliseconds,
    heartbeat: setup.heartbeat,
    maxPayload: setup.maxPayload ?? 65_536,
    padding: setup.padding,
    subprotocols: [...(setup.subprotocols ?? [])],
    held: [...(setup.held ?? [])],
    rekey: { records: 2 ** 20, bytes: 2 ** 36, milliseconds: 3_600_000, ...setup.rekey },
    epochRecords: setup.epochRecords ?? 2 ** 24,
    seqFrom: setup.seqFrom ?? 0,
    frames: setup.frames ?? 65_536,
    seed: (kem, generation) => unhex(agreements(kem, generation).keySeed),
    coins: (kem, generation) => unhex(agreements(kem, generation).m),
  };
}

/** The steps of a case with those of what it goes on from. */
export function allSteps(vector: VectorCase, byId: ReadonlyMap<string, VectorCase>): CaseStep[] {
  if (vector.after === undefined) return [...vector.steps];
  const before = byId.get(vector.after);
  if (before === undefined) throw new Error(`${vector.id}: no case ${vector.after}`);
  return [...allSteps(before, byId), ...vector.steps];
}

const messageText = (message: { text?: LongValue; binary?: LongValue }): string =>
  message.text === undefined ? `binary ${long(message.binary ?? '')}` : `text ${long(message.text)}`;
const deliveredText = (message: Message): string =>
  'text' in message ? `text ${message.text}` : `binary ${hex(message.binary)}`;

function sentDiffers(sent: readonly Sent[], expected: NonNullable<CaseStep['sends']>): string | undefined {
  if (sent.length !== expected.length) return `sends ${sent.length} messages, not ${expected.length}`;
  for (const [i, want] of expected.entries()) {
    const got = sent[i]!;
    if (want.text !== undefined) {
      if (!('text' in got) || got.text !== want.text) return `message ${i} is not that text`;
    } else if (!('frame' in got)) return `message ${i} is no frame`;
    else if (want.anyContent !== undefined) {
      if (got.kind !== want.anyContent.kind) return `message ${i} is of kind ${got.kind}`;
    } else if (hex(got.frame) !== (want.record?.frame ?? want.frame)) return `frame ${i} differs`;
  }
  return undefined;
}

export function stepDiffers(out: Outputs, step: CaseStep): string | undefined {
  const delivered = out.delivers.map(deliveredText);
  const expected = (step.delivers ?? []).map(messageText);
  if (out.fails !== step.fails) return `fails with ${out.fails ?? 'nothing'}, not ${step.fails ?? 'nothing'}`;
  if (delivered.length !== expected.length || delivered.some((one, i) => one !== expected[i]))
    return `delivers ${delivered.length} messages, not those ${expected.length}`;
  const sent = sentDiffers(out.sends, step.sends ?? []);
  if (sent !== undefined) return sent;
  if (out.accepts !== (step.accepts ?? false)) return `accepts: ${String(out.accepts)}`;
  if (out.exchanged !== step.exchanged) return `exchanged: ${out.exchanged ?? 'nothing'}`;
  const answered = out.answered.map(hex).join();
  if (answered !== (step.answered ?? '') || out.answered.length !== (step.answered === undefined ? 0 : 1))
    return `answered: ${answered}`;
  if (out.closes !== step.closes) return `closes: ${out.closes ?? 'nothing'}, not ${step.closes ?? 'nothing'}`;
  return undefined;
}

/** What a runner asks of an end, of either profile. */
export interface End {
  start(): void;
  receive(message: string | Bytes): void;
  send(message: Message): void;
  close(close: { code: number | undefined; reason: string }): void;
  exchange(): void;
  ping(content: Bytes): void;
  finish(ok: boolean): void;
  advance(milliseconds: number): void;
  transportClosed(code: number, reason: string): void;
  exportKey(label: string, length: number): Bytes;
  take(): Outputs;
  readonly seen: Seen | undefined;
}

function input(peer: End, step: CaseStep): string | undefined {
  if (step.start) peer.start();
  else if (step.receive) peer.receive(wireMessage(step.receive));
  else if (step.send)
    peer.send(
      step.send.text === undefined ? { binary: unhex(long(step.send.binary ?? '')) } : { text: long(step.send.text) },
    );
  else if (step.close) peer.close({ code: step.close.code, reason: step.close.reason ?? '' });
  else if (step.exchange) peer.exchange();
  else if (step.ping !== undefined) peer.ping(unhex(step.ping));
  else if (step.finish) peer.finish(step.result === 'ok');
  else if (step.advance !== undefined) peer.advance(step.advance);
  else if (step.transportClosed !== undefined) peer.transportClosed(step.transportClosed, step.reason ?? '');
  else if (step.export) {
    let made = 'throws';
    try {
      made = hex(peer.exportKey(step.export.label, step.export.length));
    } catch {
      // no key: the case says so
    }
    if (made !== step.exports) return `exports ${made}`;
  } else throw new Error('a step without input');
  return undefined;
}

/** What differs, in words, or undefined. */
export function runCase(
  create: (role: Side, setup: CaseSetup) => End,
  vector: VectorCase,
  byId: ReadonlyMap<string, VectorCase>,
): string | undefined {
  let peer: End;
  try {
    peer = create(vector.to, vector.setup);
    for (const [i, step] of allSteps(vector, byId).entries()) {
      const differs = input(peer, step) ?? stepDiffers(peer.take(), step);
      if (differs !== undefined) return `step ${i}: ${differs}`;
    }
  } catch (error) {
    return `throws ${String(error)}`;
  }
  return seenDiffers(peer, vector);
}

function seenDiffers(peer: End, { seen }: VectorCase): string | undefined {
  if (seen === undefined) return undefined;
  const got = peer.seen;
  if (got === undefined || got.code !== seen.code || got.reason !== seen.reason || got.wasClean !== seen.wasClean)
    return `sees ${JSON.stringify(got)}, not ${JSON.stringify(seen)}`;
  return undefined;
}

/** Whatever a record's content is, its kind: opened with the key that the case has for it. */
function withKinds(out: Outputs, step: CaseStep): Outputs {
  const sends = out.sends.map((sent, i): Sent => {
    const record = step.sends?.[i]?.anyContent;
    if (record === undefined || 'text' in sent) return sent;
    return { ...sent, kind: readInner(openFrame(unhex(record.key), record.seq, sent.frame)).kind };
  });
  return { ...out, sends };
}

/**
 * As `runCase`, for an end that may do things later.
 * @param settle resolves when it has nothing left to do
 */
export async function runCaseLater(
  create: (role: Side, setup: CaseSetup) => End,
  settle: () => Promise<void>,
  vector: VectorCase,
  byId: ReadonlyMap<string, VectorCase>,
): Promise<string | undefined> {
  const peer = create(vector.to, vector.setup);
  for (const [i, step] of allSteps(vector, byId).entries()) {
    const wrong = input(peer, step);
    await settle();
    const differs = wrong ?? stepDiffers(withKinds(peer.take(), step), step);
    if (differs !== undefined) return `step ${i}: ${differs}`;
  }
  return seenDiffers(peer, vector);
}
