/** Tells systemd how it is, by `systemd-notify`: Node has no datagram sockets of Unix. The unit needs `NotifyAccess=all`. */
import { spawn } from 'node:child_process';

export type ServiceState = 'READY' | 'RELOADING' | 'STOPPING';

/** What has been said is out before the next is: systemd goes by what comes last. */
let said: Promise<void> = Promise.resolve();

/** Does nothing outside a unit of `Type=notify` or `notify-reload`, and nothing where the program is missing. */
export function notifySystemd(state: ServiceState): void {
  if ((process.env['NOTIFY_SOCKET'] ?? '') === '') return;
  // At its end the process waits for nothing.
  said = state === 'STOPPING' ? say(state) : said.then(() => say(state));
}

function say(state: ServiceState): Promise<void> {
  return new Promise((resolve) => {
    // As assignments: flags for reloading and stopping came with systemd 253. The time is what `notify-reload` wants beside it.
    const time = `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`;
    const words = [`${state}=1`, ...(state === 'RELOADING' ? [time] : [])];
    const child = spawn('systemd-notify', words, { stdio: 'ignore' });
    child.once('error', () => {
      resolve();
    });
    child.once('close', () => {
      resolve();
    });
    child.unref();
  });
}
