/** What a conversation shows: plain lines, JSON lines or bytes on standard output; everything about it on standard error. */
import type { Writable } from 'node:stream';
import type { Call } from '../dial.ts';
import type { Ending } from '../ending.ts';
import { EXIT } from '../exit-codes.ts';
import type { Paint } from '../terminal.ts';
import { paintFor, visible } from '../terminal.ts';
import type { Format } from './formats.ts';
import { formatBytes } from './formats.ts';

export interface View {
  opened(call: Call): void;
  /** @returns false when the reader is behind: `drained` is called when it no longer is */
  message(data: Buffer, isBinary: boolean): boolean;
  ping(): void;
  pong(milliseconds: number): void;
  /** Something that the user should know, in a line or several. */
  note(text: string): void;
  ended(ending: Ending): void;
}

export interface Streams {
  readonly output: Writable & { readonly isTTY?: boolean };
  readonly errors: Writable & { readonly isTTY?: boolean };
}

/** `TLSv1.3 X25519MLKEM768, v1 ML-KEM-768 AES-256-GCM (node), …`: on what the conversation stands. */
export function describeCall(call: Call, proof: string): string {
  const { pq, protocol } = call.socket;
  const took = pq.handshakeMilliseconds === null ? '' : `, ${Math.round(pq.handshakeMilliseconds)} ms`;
  const parts = [
    tlsOf(call) ?? 'no TLS',
    `${pq.profile} ${pq.kem} ${pq.cipher} (${pq.backend}${took})`,
    proof,
    ...(protocol === '' ? [] : [`subprotocol ${protocol}`]),
  ];
  return visible(parts.join('; '));
}

/** `TLSv1.3 X25519MLKEM768`; undefined without TLS. */
function tlsOf({ tls }: Call): string | undefined {
  return tls && [tls.version, tls.group].filter(Boolean).join(' ');
}

/** For pipes and files, or a terminal that is only written to. */
export class PlainView implements View {
  readonly #paint: Paint;

  constructor(
    private readonly streams: Streams,
    private readonly settings: {
      readonly format: Format;
      readonly quiet: boolean;
      readonly verbose: boolean;
      readonly proof: string;
    },
  ) {
    this.#paint = paintFor(streams.errors);
  }

  opened(call: Call): void {
    this.#status('green', `connected: ${describeCall(call, this.settings.proof)}`);
  }

  message(data: Buffer, isBinary: boolean): boolean {
    const { output } = this.streams;
    if (this.settings.format === 'raw') return output.write(data);
    const line = formatBytes(data, isBinary, this.settings.format);
    return output.write(`${output.isTTY === true ? visible(line) : line}\n`);
  }

  ping(): void {
    if (this.settings.verbose) this.#status('dim', 'ping');
  }

  pong(milliseconds: number): void {
    this.#status('dim', `pong after ${milliseconds.toFixed(1)} ms`);
  }

  note(text: string): void {
    this.streams.errors.write(`${text}\n`);
  }

  ended({ exitCode, message, hint }: Ending): void {
    if (exitCode === 0) this.#status('dim', message);
    else this.note(`pq-websocket: ${this.#paint('red', message)}`);
    if (hint !== undefined) this.note(`  ${hint}`);
  }

  #status(style: 'green' | 'dim', text: string): void {
    if (!this.settings.quiet) this.note(this.#paint(style, text));
  }
}

/** One JSON object a line. */
export class JsonView implements View {
  constructor(
    private readonly streams: Streams,
    private readonly settings: { readonly proof: string },
  ) {}

  opened(call: Call): void {
    const { url, protocol, pq } = call.socket;
    const { profile, kem, cipher, backend, handshakeMilliseconds } = pq;
    this.#write({
      type: 'open',
      url,
      protocol,
      tls: tlsOf(call) ?? null,
      profile,
      kem,
      cipher,
      backend,
      handshakeMilliseconds,
      server: this.settings.proof,
    });
  }

  message(data: Buffer, isBinary: boolean): boolean {
    return this.#write({
      type: 'message',
      ...(isBinary ? { base64: data.toString('base64') } : { text: data.toString() }),
    });
  }

  ping(): void {
    this.#write({ type: 'ping' });
  }

  pong(milliseconds: number): void {
    this.#write({ type: 'pong', milliseconds });
  }

  note(text: string): void {
    this.streams.errors.write(`${text}\n`);
  }

  ended({ exitCode, code, reason, wasClean, failure, message, hint }: Ending): void {
    const text = hint === undefined ? message : `${message}. ${hint}`;
    if (failure !== undefined) this.#write({ type: 'error', code: failure, message: text });
    else if (exitCode === EXIT.INCOMPLETE) this.note(`pq-websocket: ${message}`);
    this.#write({ type: 'close', code, reason, wasClean, exitCode });
  }

  /** What a terminal would act on is escaped, which JSON reads as the same. */
  #write(object: object): boolean {
    return this.streams.output.write(`${visible(JSON.stringify(object))}\n`);
  }
}
