/** The event loop's turns. A message port posts a task without the clamping of nested timers (HTML 8.7), also where a page is not seen. */
import { Queue } from './queue.ts';
import { MessageChannel, Promise, queueMicrotask } from './captured.ts';

const tasks = new Queue<() => void>();
let channel: MessageChannel | undefined;

/**
 * Does it in a later task, behind those that wait already. workerd has ports only from the compatibility date 2025-08-15 on;
 * before it takes a microtask, since it forgets the timers of a request whose socket has closed.
 */
export function postTask(act: () => void): void {
  if (typeof MessageChannel === 'undefined') {
    queueMicrotask(act);
    return;
  }
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = (): void => tasks.shift()?.();
  }
  tasks.push(act);
  channel.port2.postMessage(null);
}

export function nextTask(): Promise<void> {
  return new Promise(postTask);
}
