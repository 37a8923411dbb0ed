/** What is measured in Chromium, in a page of https's kind and in one of plain http's, where crypto.subtle is missing. */
import type { Page } from 'puppeteer-core';
import { startBrowser } from '../../test/browser/harness.ts';
import type { BenchPage, Rates } from '../chromium/page.ts';
import { BLOCK_TOTAL_BYTES, SIZES } from '../plan.ts';
import type { SizeName } from '../plan.ts';
import type { BuildName, Result } from '../results.ts';
import type { ChromiumWorkload } from '../workloads.ts';
import { collect } from './collect.ts';
import { Crew } from './crew.ts';
import type { RunOptions, Runtime } from './crew.ts';

const RUNTIME = 'chromium';

type Values = Map<BuildName, number[]>;

interface Pages {
  readonly secure: Page;
  /** A page of plain http. */
  readonly insecure: Page;
  readonly port: Readonly<Record<'ws' | 'pq', number>>;
}

function valuesOf(...builds: BuildName[]): Values {
  return new Map(builds.map((build) => [build, []]));
}

function call<Name extends keyof BenchPage>(
  page: Page,
  name: Name,
  ...args: Parameters<BenchPage[Name]>
): Promise<Awaited<ReturnType<BenchPage[Name]>>> {
  const run = (name: string, args: unknown[]): unknown =>
    (globalThis as unknown as { benchPage: Record<string, (...args: unknown[]) => unknown> }).benchPage[name]?.(
      ...args,
    );
  return page.evaluate(run, name, args) as Promise<Awaited<ReturnType<BenchPage[Name]>>>;
}

async function sealAndOpen(
  page: Page,
  suffix: string,
  size: SizeName,
  { budget, progress }: RunOptions,
): Promise<Result[]> {
  const seal = valuesOf('naive', 'pq');
  const open = valuesOf('naive', 'pq');
  const note = (build: BuildName, rates: Rates): void => {
    seal.get(build)?.push(rates.seal);
    open.get(build)?.push(rates.open);
  };
  for (let round = 0; round < budget.rounds; round += 1) {
    progress(`${RUNTIME} seal and open ${size}${suffix}: round ${round + 1} of ${budget.rounds}`);
    note('naive', await call(page, 'naive', SIZES[size], budget.milliseconds));
    note('pq', await call(page, 'recordLayer', SIZES[size], budget.milliseconds));
  }
  return [
    ...collect(`chromium-seal-${size}${suffix}`, RUNTIME, 'records/s', seal),
    ...collect(`chromium-open-${size}${suffix}`, RUNTIME, 'records/s', open),
  ];
}

async function longestBlocks(
  page: Page,
  { port }: Pages,
  workload: string,
  size: number,
  { budget, progress }: RunOptions,
): Promise<Result[]> {
  const values = valuesOf('ws', 'pq');
  for (let round = 0; round < budget.rounds; round += 1) {
    progress(`${RUNTIME} ${workload}: round ${round + 1} of ${budget.rounds}`);
    for (const build of ['ws', 'pq'] as const) {
      values
        .get(build)
        ?.push(await call(page, 'longestBlock', `ws://127.0.0.1:${port[build]}/echo`, build, size, BLOCK_TOTAL_BYTES));
    }
  }
  return collect(workload, RUNTIME, 'ms', values);
}

async function measureOne(workload: ChromiumWorkload, pages: Pages, options: RunOptions): Promise<Result[]> {
  const insecure = workload.endsWith('-insecure');
  const page = insecure ? pages.insecure : pages.secure;
  switch (workload) {
    case 'chromium-records':
    case 'chromium-records-insecure': {
      const results: Result[] = [];
      for (const size of Object.keys(SIZES) as SizeName[])
        results.push(...(await sealAndOpen(page, insecure ? '-insecure' : '', size, options)));
      return results;
    }
    case 'chromium-longest-block':
    case 'chromium-longest-block-insecure':
      return longestBlocks(page, pages, workload, BLOCK_TOTAL_BYTES, options);
    case 'chromium-longest-block-64k':
    case 'chromium-longest-block-64k-insecure':
      return longestBlocks(page, pages, workload, SIZES['64k'], options);
  }
}

export interface ChromiumResults {
  readonly version: string;
  readonly results: readonly Result[];
}

/** @param runtime the Node that serves */
export async function measureChromium(
  workloads: readonly ChromiumWorkload[],
  runtime: Runtime,
  options: RunOptions,
): Promise<ChromiumResults> {
  const crew = new Crew(runtime, options);
  const serve = (build: BuildName): Promise<number> =>
    crew.start(`chromium-${build}-server`, build).call('serve', { build, tls: options.tls });
  try {
    const port = { ws: await serve('ws'), pq: await serve('pq') };
    const browser = await startBrowser();
    try {
      const open = async (secure: boolean): Promise<Page> =>
        (await browser.open({ entry: 'bench/chromium/page.ts', secure })).page;
      const pages: Pages = { secure: await open(true), insecure: await open(false), port };
      const results: Result[] = [];
      for (const workload of workloads) results.push(...(await measureOne(workload, pages, options)));
      return { version: browser.version, results };
    } finally {
      await browser.close();
    }
  } finally {
    await crew.stop();
  }
}
