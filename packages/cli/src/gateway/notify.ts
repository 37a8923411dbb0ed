/** Tells systemd how it is, by `systemd-notify`: Node has no datagram sockets of Unix. The unit needs `NotifyAccess=all`. */
import { spawn } from 'node:child_process';

export type ServiceState = '--ready' | '--reloading' | '--stopping';

/** Does nothing outside a unit of `Type=notify` or `notify-reload`, and nothing where the program is missing. */
export function notifySystemd(state: ServiceState): void {
  if ((process.env['NOTIFY_SOCKET'] ?? '') === '') return;
  const child = spawn('systemd-notify', [state], { stdio: 'ignore' });
  child.on('error', () => undefined);
  child.unref();
}
