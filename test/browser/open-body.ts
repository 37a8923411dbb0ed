import { onTestFinished } from 'vitest';
import type { Engine, EnginePage } from '../support/engines/engine.ts';
import type { Content } from './static-server.ts';
import { serve } from './static-server.ts';

/**
 * Opens a page with this body, beside `files`, for as long as the test runs.
 * @param headers of every answer
 */
export async function openBody(
  engine: Engine,
  body: string,
  files: Readonly<Record<string, Content>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<EnginePage> {
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,">${body}`;
  const server = await serve({ ...files, 'index.html': html }, undefined, headers);
  const page = await engine.open(`http://127.0.0.1:${server.port}/`);
  onTestFinished(async () => {
    await page.close();
    await server.close();
  });
  return page;
}
