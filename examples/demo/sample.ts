/** The file that the demo sends: text, so that a glance tells it from what the wire carries. */

import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

/** Stands in every line of the file, and may stand nowhere on the wire. */
export const SAMPLE_MARKER = 'nobody on the wire can read this line';

/** Writes exactly `bytes` bytes of numbered lines. */
export async function writeSample(path: string, bytes: number): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  let left = bytes;
  for (let number = 1; left > 0; number += 1) {
    const line = Buffer.from(`${String(number).padStart(7, '0')} ${SAMPLE_MARKER}\n`, 'ascii').subarray(0, left);
    left -= line.length;
    if (!file.write(line)) await once(file, 'drain');
  }
  file.end();
  await finished(file);
}
