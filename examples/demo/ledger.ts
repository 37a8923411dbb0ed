/**
 * Two columns: what the application said, and what the wire carried. Both are recorded independently (the
 * application's calls and events here, the transport's there) and put beside each other by their sizes alone:
 * a record is 29 bytes longer than its message, and a batch has 5 bytes more for each of its messages
 * (PROTOCOL.md, records). What fits no message is the layer's own.
 */

export type Direction = 'out' | 'in';

/** Nonce 12, kind 1, tag 16. */
export const SEAL_BYTES = 29;
export const NONCE_BYTES = 12;
const BATCH_ENTRY_BYTES = 5;
const HEAD_BYTES = 40;
const PREVIEW_CHARACTERS = 400;
/** From this size on, messages and frames in a row share one line of the ledger. */
export const FOLD_BYTES = 16_384;
const ROWS_BEFORE_FOLD = 2;
const MESSAGES_SHOWN = 12;

export interface Said {
  readonly form: 'text' | 'binary' | 'close';
  readonly bytes: number;
  readonly preview: string;
}

export interface Frame {
  /** `text` and `binary` are WebSocket messages; `close` is the transport's close frame. */
  readonly form: 'text' | 'binary' | 'close';
  readonly bytes: number;
  readonly head: Uint8Array;
  /** What is readable of it: a hello's text, a transport close's code and reason. */
  readonly text: string;
}

export interface Row {
  readonly id: number;
  readonly direction: Direction;
  /** Milliseconds since the ledger was opened. */
  readonly at: number;
  said: Said[];
  saidCount: number;
  saidBytes: number;
  frame: Frame | undefined;
  frameCount: number;
  frameBytes: number;
  note: string;
}

interface Waiting<T> {
  readonly what: T;
  readonly row: Row;
}

interface Lane {
  said: Said[];
  /** Rows of what was said and has no frame yet, in step with `said`. */
  saidRows: Row[];
  frames: Waiting<Frame>[];
  sealedFrames: number;
  large: number;
  fold: Row | undefined;
}

const encoder = new TextEncoder();

export function describeMessage(data: string | Uint8Array): Said {
  if (typeof data === 'string') {
    return { form: 'text', bytes: encoder.encode(data).length, preview: shorten(data) };
  }
  return { form: 'binary', bytes: data.byteLength, preview: previewOf(data.subarray(0, 64)) };
}

export function describeClose(code: number, reason: string): Said {
  // The sealed close's content: u16be code || reason; empty when the application gave none (1005).
  const bytes = code === 1005 ? 0 : 2 + encoder.encode(reason).length;
  return { form: 'close', bytes, preview: reason === '' ? `${String(code)}` : `${String(code)} “${reason}”` };
}

export function describeFrame(data: string | Uint8Array): Frame {
  if (typeof data === 'string') {
    const bytes = encoder.encode(data);
    return { form: 'text', bytes: bytes.length, head: bytes.slice(0, HEAD_BYTES), text: shorten(data) };
  }
  return { form: 'binary', bytes: data.byteLength, head: data.slice(0, HEAD_BYTES), text: '' };
}

export function describeTransportClose(code: number, reason: string): Frame {
  return {
    form: 'close',
    bytes: 2 + encoder.encode(reason).length,
    head: new Uint8Array(0),
    text: `${String(code)} ${reason}`.trim(),
  };
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function shorten(text: string): string {
  return text.length > PREVIEW_CHARACTERS ? `${text.slice(0, PREVIEW_CHARACTERS)}…` : text;
}

function previewOf(bytes: Uint8Array): string {
  const readable = bytes.length > 0 && bytes.every((byte) => byte === 0x0a || (byte >= 0x20 && byte < 0x7f));
  return readable ? String.fromCharCode(...bytes).replaceAll('\n', ' ') : hexOf(bytes.subarray(0, 24));
}

/** How many of the first of these messages a frame of this size holds: none, one, or a batch of them. */
function heldBy(frameBytes: number, said: readonly Said[]): number {
  if (said[0] !== undefined && said[0].bytes + SEAL_BYTES === frameBytes) return 1;
  let size = SEAL_BYTES;
  for (const [index, message] of said.entries()) {
    if (message.form === 'close') return 0;
    size += BATCH_ENTRY_BYTES + message.bytes;
    if (size === frameBytes && index > 0) return index + 1;
    if (size > frameBytes) return 0;
  }
  return 0;
}

export class Ledger {
  readonly #opened = performance.now();
  readonly #changed: (row: Row, added: boolean) => void;
  readonly #lanes: Record<Direction, Lane> = { out: newLane(), in: newLane() };
  #rows = 0;

  /** @param changed called for every new row and again whenever a row's content changes */
  constructor(changed: (row: Row, added: boolean) => void) {
    this.#changed = changed;
  }

  /** The application said this, or heard it. */
  said(direction: Direction, message: Said): void {
    const lane = this.#lanes[direction];
    lane.said.push(message);
    if (direction === 'out') {
      const { row, added } = this.#rowFor(lane, direction, message.bytes);
      addSaid(row, message);
      lane.saidRows.push(row);
      this.#changed(row, added);
      return;
    }
    this.#heard(lane);
  }

  #heard(lane: Lane): void {
    const asBatch = lane.said.reduce((sum, message) => sum + BATCH_ENTRY_BYTES + message.bytes, SEAL_BYTES);
    for (const [index, waiting] of lane.frames.entries()) {
      const held = heldBy(waiting.what.bytes, lane.said);
      if (held > 0) {
        for (const message of lane.said.splice(0, held)) addSaid(waiting.row, message);
        for (const passed of lane.frames.splice(0, index + 1).slice(0, index)) this.#layersOwn(passed.row);
        this.#changed(waiting.row, false);
        return;
      }
      // A longer record can only be a batch whose other messages are still to come.
      if (waiting.what.bytes > asBatch) return;
    }
    for (const message of lane.said.splice(0)) {
      const row = this.#newRow('in');
      addSaid(row, message);
      row.note = 'no frame has this size';
      this.#changed(row, true);
    }
  }

  /** The transport carried this. */
  carried(direction: Direction, frame: Frame): void {
    const lane = this.#lanes[direction];
    const ownFirst = frame.form === 'binary' && lane.sealedFrames++ === 0;
    if (frame.form !== 'binary' || ownFirst) {
      this.#alone(direction, frame, noteFor(frame, direction));
    } else if (direction === 'in') {
      const { row, added } = this.#rowFor(lane, direction, frame.bytes);
      addFrame(row, frame);
      lane.frames.push({ what: frame, row });
      this.#changed(row, added);
    } else {
      this.#carriedOut(lane, frame);
    }
  }

  #carriedOut(lane: Lane, frame: Frame): void {
    const held = heldBy(frame.bytes, lane.said);
    if (held === 0) {
      this.#alone('out', frame, 'the layer’s own record');
      return;
    }
    lane.said.splice(0, held);
    const [first, ...others] = lane.saidRows.splice(0, held);
    if (first === undefined) return;
    addFrame(first, frame);
    this.#changed(first, false);
    for (const row of others) {
      if (row === first) continue;
      row.note = 'in the same record as the one above';
      this.#changed(row, false);
    }
  }

  #alone(direction: Direction, frame: Frame, note: string): void {
    const row = this.#newRow(direction);
    addFrame(row, frame);
    row.note = note;
    this.#changed(row, true);
  }

  #layersOwn(row: Row): void {
    if (row.saidCount > 0) return;
    row.note = 'the layer’s own record';
    this.#changed(row, false);
  }

  #rowFor(lane: Lane, direction: Direction, bytes: number): { row: Row; added: boolean } {
    if (bytes < FOLD_BYTES) {
      lane.large = 0;
      lane.fold = undefined;
      return { row: this.#newRow(direction), added: true };
    }
    lane.large += 1;
    if (lane.fold) return { row: lane.fold, added: false };
    const row = this.#newRow(direction);
    if (lane.large > ROWS_BEFORE_FOLD) lane.fold = row;
    return { row, added: true };
  }

  #newRow(direction: Direction): Row {
    const at = performance.now() - this.#opened;
    const id = this.#rows++;
    return {
      id,
      direction,
      at,
      said: [],
      saidCount: 0,
      saidBytes: 0,
      frame: undefined,
      frameCount: 0,
      frameBytes: 0,
      note: '',
    };
  }
}

function newLane(): Lane {
  return { said: [], saidRows: [], frames: [], sealedFrames: 0, large: 0, fold: undefined };
}

function addSaid(row: Row, message: Said): void {
  row.saidCount += 1;
  row.saidBytes += message.bytes;
  // A folded row shows its latest message; a batch shows all of its messages.
  row.said = message.bytes >= FOLD_BYTES ? [message] : [...row.said, message].slice(-MESSAGES_SHOWN);
}

function addFrame(row: Row, frame: Frame): void {
  row.frameCount += 1;
  row.frameBytes += frame.bytes;
  row.frame = frame;
}

function noteFor(frame: Frame, direction: Direction): string {
  if (frame.form === 'text') return direction === 'out' ? 'ClientHello' : 'ServerHello';
  if (frame.form === 'close') return 'the transport’s close frame';
  return direction === 'out' ? 'Finished (client)' : 'Finished (server)';
}
