/** The conversation of a script: messages from a stream until it ends, replies until no more come. */
import type { Readable } from 'node:stream';
import type { ExitCode } from '../exit-codes.ts';
import type { Conversation } from './conversation.ts';
import type { Action } from './formats.ts';
import { InputError } from './formats.ts';

/** @param quietSeconds once all is sent, how long to wait for a reply after the last one; Infinity: until the peer closes */
export async function converse(
  conversation: Conversation,
  actions: AsyncIterable<Action>,
  quietSeconds: number,
): Promise<ExitCode> {
  await conversation.call.opened;
  if (conversation.isOpen) {
    try {
      for await (const action of actions) {
        if (!conversation.isOpen) break;
        await conversation.act(action);
      }
      conversation.inputEnded();
      if (conversation.isOpen) closeWhenQuiet(conversation, quietSeconds * 1_000);
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

function closeWhenQuiet(conversation: Conversation, milliseconds: number): void {
  if (milliseconds === Infinity) return;
  const timer = setTimeout(() => {
    // Whatever waits for a slow output is there already.
    if (conversation.isPaused) timer.refresh();
    else conversation.finish();
  }, milliseconds);
  conversation.onActivity = (): void => {
    timer.refresh();
  };
  void conversation.over.then(() => {
    clearTimeout(timer);
  });
}

/** Ends the stream when the connection has: nobody reads it then, and a terminal would keep the process. */
export function endWith(conversation: Conversation, input: Readable): void {
  void conversation.call.ended.then(() => {
    input.destroy();
  });
}
