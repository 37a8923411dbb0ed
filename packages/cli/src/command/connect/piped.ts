/** The conversation of a script: messages from a stream until it ends, replies until no more come. */
import type { Readable } from 'node:stream';
import type { ExitCode } from '../exit-codes.ts';
import type { Conversation } from './conversation.ts';
import type { Action } from './formats.ts';
import { InputError } from './formats.ts';

/** Seconds, all counted from when the peer has taken what was sent. */
export interface Patience {
  /** For a reply after the last one. 0: close at once; Infinity: until the peer closes. */
  readonly quiet: number;
  /** For the first one, where something was sent. */
  readonly first: number;
}

/** Seconds without any progress after which a peer does not take what was sent. */
const STALLED = 60;

/** Sends standard input, and waits for replies. @returns the exit code, when all is over */
export async function converse(
  conversation: Conversation,
  actions: AsyncIterable<Action>,
  patience: Patience,
): Promise<ExitCode> {
  await conversation.call.opened;
  if (conversation.isOpen) {
    try {
      for await (const action of actions) {
        if (!conversation.isOpen) {
          conversation.inputLeft();
          break;
        }
        await conversation.act(action);
      }
      conversation.inputEnded();
      if (conversation.isOpen) await closeWhenQuiet(conversation, patience);
    } catch (error) {
      // A connection that is over ends the input, wherever it is being read.
      if (conversation.isOpen)
        conversation.fail(
          error instanceof InputError ? error.message : `the input cannot be read: ${(error as Error).message}`,
        );
    }
  }
  return conversation.over;
}

/** Closes when the peer has taken all and then says nothing for long enough. */
async function closeWhenQuiet(conversation: Conversation, { quiet, first }: Patience): Promise<void> {
  if (quiet === Infinity) return;
  let isDrained = false;
  const awaitsFirst = (): boolean => conversation.given > 0 && conversation.received === 0;
  const seconds = (): number => (!isDrained ? STALLED : awaitsFirst() ? first : quiet);
  const strike = (): void => {
    if (!isDrained) conversation.giveUp(`the server has taken nothing for ${STALLED} s`);
    else if (seconds() === 0) conversation.finish();
    else if (awaitsFirst())
      conversation.giveUp(`no reply within ${first} s: --wait SECONDS waits longer, --wait 0 for none`);
    else conversation.finish(quiet);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restart = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      // Whatever waits for a slow output is there already.
      if (conversation.isPaused) restart();
      else strike();
    }, seconds() * 1_000);
  };
  conversation.onActivity = restart;
  restart();
  void conversation.over.then(() => {
    clearTimeout(timer);
  });
  await conversation.drained();
  isDrained = true;
  if (conversation.isOpen) restart();
}

/** Ends the stream when the connection has: nobody reads it then, and a terminal would keep the process. */
export function endWith(conversation: Conversation, input: Readable): void {
  void conversation.call.ended.then(() => {
    input.destroy();
  });
}
