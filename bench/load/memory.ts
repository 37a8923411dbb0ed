/** What a process of Node holds: asked through its inspector, once its garbage has been collected. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

/** To be given to Node; `inspectorOf` finds the port. */
export const INSPECT = '--inspect=127.0.0.1:0';

/** @returns where the inspector of `child`, started with `INSPECT` and a piped stderr, listens. All else that it says there is passed on. */
export async function inspectorOf(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  const address = new Promise<string>((resolve) => {
    lines.on('line', (line) => {
      const found = /^Debugger listening on (ws:\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
      else if (!/^(For help, see|Debugger (attached|ending))/.test(line)) console.error(line);
    });
  });
  return Promise.race([
    address,
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`a process ended with ${code}`))),
  ]);
}

/** In KiB, what is alive in the heap and outside of it. Resident memory says less: allocators keep what they have had. */
export async function liveKiB(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector);
  try {
    await once(socket, 'open');
    let id = 0;
    const call = async (method: string, params: object = {}): Promise<unknown> => {
      id += 1;
      socket.send(JSON.stringify({ id, method, params }));
      for (;;) {
        const [data] = (await once(socket, 'message')) as [Buffer];
        const answer = JSON.parse(data.toString()) as { id?: number; result?: unknown; error?: { message: string } };
        if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
        if (answer.id === id) return answer.result;
      }
    };
    // What a collection frees may be freed by finalizers, whose own garbage the next one takes.
    for (let i = 0; i < 3; i += 1) await call('HeapProfiler.collectGarbage');
    const expression = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';
    const { result } = (await call('Runtime.evaluate', { expression, returnByValue: true })) as {
      result: { value: number };
    };
    return result.value / 1024;
  } finally {
    socket.terminate();
  }
}
