/** axe-core in a page: what it finds wrong for people who use a keyboard or a screen reader. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Frame, Page } from 'puppeteer-core';
import { ensureTools, toolFolder } from '../../scripts/lib/locked-tools.ts';

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
  readonly passes: readonly unknown[];
}

/**
 * @returns each violation in a line; none for a page that is in order
 * @throws {Error} where it looked at nothing
 */
export async function axeViolations(page: Page | Frame): Promise<string[]> {
  await ensureTools('site');
  // By the debugger, which no Content-Security-Policy of the page stops.
  await page.evaluate(readFileSync(path.join(toolFolder('site'), 'node_modules/axe-core/axe.min.js'), 'utf8'));
  const { violations, passes } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  if (passes.length === 0) throw new Error('axe has looked at nothing');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${help}: ${html.slice(0, 200)} ${failureSummary ?? ''}`),
  );
}
