/**
 * `pause()` and `resume()` of an application: what the network has brought already waits as it came, unopened but for the record that is
 * being delivered, and the network is read again once all of that is delivered.
 */
import type { WsFeatures } from '../transport/transport.ts';
import type { Connection } from './connection.ts';

export function pauseReading<Text>({ session }: Connection<Text>, transport: WsFeatures): void {
  if (transport.isPaused) return;
  transport.pause();
  const { rest } = transport;
  if (rest !== undefined) session.behind(() => rest);
}

export function resumeReading<Text>({ session }: Connection<Text>, transport: WsFeatures): void {
  transport.resume();
  // Whoever pauses again meanwhile resumes again.
  session.behind(() => {
    transport.read();
  });
}
