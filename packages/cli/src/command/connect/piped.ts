/** The dialogue of a script: messages from a stream until it ends, replies until no more come. */
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ExitCode } from '../exit-codes.ts';
import type { Dialogue } from './dialogue.ts';
import type { Action } from './formats.ts';
import { InputError } from './formats.ts';

/** Seconds, all counted from when the peer has taken what was sent. */
export interface Patience {
  /** For a reply after the last one. 0: close at once; Infinity: until the peer closes. */
  readonly quiet: number;
  /** For the first one, where something was sent. */
  readonly first: number;
}

/** Messages of the input that are sent before anything else is done. */
const AT_ONCE = 256;
/** Seconds without any progress after which a peer does not take what was sent. */
const STALLED = 60;

/** Sends standard input, and waits for replies. @returns the exit code, when all is over */
export async function converse(
  dialogue: Dialogue,
  actions: AsyncIterable<Action>,
  patience: Patience,
): Promise<ExitCode> {
  await dialogue.call.opened;
  if (dialogue.isOpen) {
    try {
      let count = 0;
      for await (const action of actions) {
        if (!dialogue.isOpen) {
          dialogue.inputLeft();
          break;
        }
        await dialogue.act(action);
        count += 1;
        // Input that has been read already comes without a turn of the event loop: replies and signals are heard meanwhile.
        if (count % AT_ONCE === 0) await nextTurn();
      }
      dialogue.inputEnded();
      if (dialogue.isOpen) await closeWhenQuiet(dialogue, patience);
    } catch (error) {
      // A connection that is over ends the input, wherever it is being read.
      if (dialogue.isOpen)
        dialogue.fail(
          error instanceof InputError ? error.message : `the input cannot be read: ${(error as Error).message}`,
        );
    }
  }
  return dialogue.over;
}

/** Closes when the peer has taken all and then says nothing for long enough. */
async function closeWhenQuiet(dialogue: Dialogue, { quiet, first }: Patience): Promise<void> {
  if (quiet === Infinity) return;
  let isDrained = false;
  const awaitsFirst = (): boolean => dialogue.given > 0 && dialogue.received === 0;
  const seconds = (): number => (!isDrained ? STALLED : awaitsFirst() ? first : quiet);
  const strike = (): void => {
    if (!isDrained) dialogue.giveUp(`the server has taken nothing for ${STALLED} s`);
    else if (seconds() === 0) dialogue.finish();
    else if (awaitsFirst())
      dialogue.giveUp(`no reply within ${first} s: --wait SECONDS waits longer, --wait 0 for none`);
    else dialogue.finish(quiet);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Whatever waits for a slow output is there already.
      if (dialogue.isPaused) restart();
      else strike();
    }, seconds() * 1_000);
  };
  dialogue.onActivity = restart;
  restart();
  void dialogue.over.then(() => {
    clearTimeout(timer);
  });
  await dialogue.drained();
  isDrained = true;
  if (dialogue.isOpen) restart();
}

/** Ends the stream when the connection has: nobody reads it then, and a terminal would keep the process. */
export function endWith(dialogue: Dialogue, input: Readable): void {
  void dialogue.call.ended.then(() => {
    input.destroy();
  });
}
