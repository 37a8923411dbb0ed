/** One connection of the doctor's, from the first packet to a clean close, with every frame that was seen. */
import { randomFillSync } from 'node:crypto';
import type { WebSocketOptions } from 'pq-websocket/ws';
import type { Target } from '../client-flags.ts';
import { dial } from '../dial.ts';
import type { Call } from '../dial.ts';
import type { Ending } from '../ending.ts';
import type { WireFrame } from '../wire-tap.ts';

export interface Probe {
  readonly call: Call;
  readonly frames: readonly WireFrame[];
  /** Whether it has been open. */
  readonly opened: boolean;
  readonly ending: Ending;
  /** The subprotocol that was selected. */
  readonly protocol: string;
  /** Milliseconds until the pong; undefined when none came or no ping was sent. */
  readonly pong: number | undefined;
  /** What `--echo` found: sizes that came back as they were sent, and those that did not. */
  readonly echo: readonly EchoResult[];
}

export interface EchoResult {
  readonly kind: 'text' | 'binary';
  readonly bytes: number;
  readonly result: 'same' | 'other kind' | 'other bytes' | 'nothing came back';
}

export interface ProbeSettings {
  readonly options?: WebSocketOptions;
  /** Milliseconds for each wait once it is open. */
  readonly patience: number;
  readonly ping?: boolean;
  readonly echoSizes?: readonly number[];
}

/** Never rejects for what a server does. @throws {UsageError} for what the library refuses */
export async function probe(
  target: Target,
  { options, patience, ping = false, echoSizes = [] }: ProbeSettings,
): Promise<Probe> {
  const frames: WireFrame[] = [];
  const call = dial({ ...target, options: { ...target.options, ...options } }, (frame) => frames.push(frame));
  await call.opened;
  const { socket } = call;
  const opened = call.phase === 'open';
  const { protocol } = socket;
  let pong: number | undefined;
  const echo: EchoResult[] = [];
  if (opened) {
    if (ping) pong = await pingOnce(call, patience);
    for (const bytes of echoSizes)
      for (const kind of ['text', 'binary'] as const)
        echo.push({ kind, bytes, result: await echoOnce(call, kind, bytes, patience) });
  }
  socket.close(1000);
  const ending = await call.ended;
  return { call, frames, opened, ending, protocol, pong, echo };
}

/** Resolves with what `listen` gives, or undefined when it is too late or over. */
function before<T>(call: Call, patience: number, listen: (done: (value: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience, undefined);
    const done = (value: T | undefined): void => {
      clearTimeout(timer);
      resolve(value);
    };
    void call.ended.then(() => {
      done(undefined);
    });
    listen(done);
  });
}

function pingOnce(call: Call, patience: number): Promise<number | undefined> {
  const start = performance.now();
  return before(call, patience, (done) => {
    call.socket.once('pong', () => {
      done(performance.now() - start);
    });
    if (call.socket.readyState === call.socket.OPEN) call.socket.ping();
  });
}

/** Random, so that nothing else can be taken for it; text of letters, so that it is UTF-8. */
async function echoOnce(
  call: Call,
  kind: EchoResult['kind'],
  bytes: number,
  patience: number,
): Promise<EchoResult['result']> {
  if (call.socket.readyState !== call.socket.OPEN) return 'nothing came back';
  const sent = randomFillSync(Buffer.alloc(bytes));
  if (kind === 'text') for (let i = 0; i < bytes; i++) sent[i] = 0x61 + ((sent[i] as number) % 26);
  const came = await before<{ data: Buffer; isBinary: boolean }>(call, patience, (done) => {
    call.socket.once('message', (data: Buffer, isBinary: boolean) => {
      done({ data, isBinary });
    });
    call.socket.send(sent, { binary: kind === 'binary' });
  });
  if (came === undefined) return 'nothing came back';
  if (!came.data.equals(sent)) return 'other bytes';
  return came.isBinary === (kind === 'binary') ? 'same' : 'other kind';
}
