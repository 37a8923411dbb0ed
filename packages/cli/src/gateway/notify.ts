/** Tells systemd how it is, by `systemd-notify`: Node has no datagram sockets of Unix. The unit needs `NotifyAccess=all`. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

export type ServiceState = 'READY' | 'RELOADING' | 'STOPPING';

/** What has been said is out before the next is: systemd goes by what comes last. */
let said: Promise<void> = Promise.resolve();
let isStopping = false;
/** Who is saying something. */
let speaking: ChildProcess | undefined;

/**
 * Does nothing outside a unit of `Type=notify` or `notify-reload`, and nothing where the program is missing. STOPPING is the last
 * word: what has not been said before it is not said any more.
 */
export function notifySystemd(state: ServiceState): void {
  if (isStopping || (process.env['NOTIFY_SOCKET'] ?? '') === '') return;
  if (state !== 'STOPPING') {
    said = said.then(() => (isStopping ? undefined : say(state)));
    return;
  }
  isStopping = true;
  // At its end the process waits for nothing.
  speaking?.kill();
  void say(state);
}

function say(state: ServiceState): Promise<void> {
  return new Promise((resolve) => {
    // As assignments: flags for reloading and stopping came with systemd 253. The time is what `notify-reload` wants beside it.
    const time = `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`;
    const words = [`${state}=1`, ...(state === 'RELOADING' ? [time] : [])];
    const child = spawn('systemd-notify', words, { stdio: 'ignore' });
    speaking = child;
    const end = (): void => {
      if (speaking === child) speaking = undefined;
      resolve();
    };
    child.once('error', end);
    child.once('close', end);
    child.unref();
  });
}
