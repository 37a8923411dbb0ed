/** The page's turn: a message port posts a task without the clamping of nested timers (HTML 8.7), also where the page is not seen. */
const waiting: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** Comes in a later task, after those that wait already. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    if (channel === undefined) {
      channel = new MessageChannel();
      channel.port1.onmessage = (): void => waiting.shift()?.();
    }
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });
}
