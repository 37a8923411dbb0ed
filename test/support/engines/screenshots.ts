/** `npm run screenshots`: the pictures of docs/runtimes.md, made anew. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { ENGINES } from './all.ts';
import { startDemo, visitDemo } from './demo.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../../docs/engines');

export async function main(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const demo = await startDemo();
  try {
    for (const { name, start } of ENGINES) {
      const file = path.join(FOLDER, `${name.toLowerCase()}.png`);
      const engine = await start();
      try {
        const { state, equal, verdict } = await visitDemo(
          engine,
          demo.port,
          `Hello from ${name} ${engine.version}`,
          file,
        );
        console.log(
          `${name} ${engine.version}: ${state}; ${equal} facts equal at both ends; ${verdict}; ${path.relative('.', file)}`,
        );
      } finally {
        await engine.close();
      }
    }
  } finally {
    await demo.stop();
  }
}
