/** The suite over v1.json in a page, bundled by own-vectors-bundle.ts: call `runOwnVectors`. */
import '../vectors/v1.test.ts';
import { BACKENDS } from '../support/backends-web.ts';
import { runTests } from '../support/mini-vitest.ts';
import type { MiniReport } from '../support/mini-vitest.ts';

export interface OwnVectorsReport extends MiniReport {
  /** Each backend, and whether its ML-KEM is the browser's own. */
  readonly nativeKem: Readonly<Record<string, boolean>>;
}

/** The tests wait for turns of the event loop, and a page has no setImmediate: a message port posts a task. */
function setImmediateOfPorts(): (act: () => void) => void {
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = (): void => waiting.shift()?.();
  return (act) => {
    waiting.push(act);
    channel.port2.postMessage(null);
  };
}

async function runOwnVectors(): Promise<OwnVectorsReport> {
  const nativeKem: Record<string, boolean> = {};
  for (const [name, backend] of Object.entries(BACKENDS)) {
    const pair = await backend.generateKeyPair(new Uint8Array(64));
    nativeKem[name] = pair.native;
    pair.destroy();
  }
  return { ...(await runTests()), nativeKem };
}

Object.assign(globalThis, { setImmediate: setImmediateOfPorts(), runOwnVectors });
