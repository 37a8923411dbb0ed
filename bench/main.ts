/** What `npm run bench` runs: plain `ws`, `wss`, the naive build and this package, side by side. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { nativeFile } from '../scripts/lib/native.ts';
import { ensureNode, nodeBinary } from '../scripts/lib/node-binaries.ts';
import type { Arguments } from './arguments.ts';
import { readArguments, USAGE } from './arguments.ts';
import { machineFacts } from './machine.ts';
import { BUDGETS, shorter } from './plan.ts';
import { fillDocuments, writeReport } from './report/files.ts';
import { profileTable } from './report/profile.ts';
import { table } from './report/table.ts';
import type { Machine, Report, Result } from './results.ts';
import { buildPackage, bundlePeer, makeCertificate } from './run/prepare.ts';
import type { RunOptions, Runtime } from './run/crew.ts';
import { Crew } from './run/crew.ts';
import { measureChromium } from './run/chromium.ts';
import { profile } from './run/profiles.ts';
import { measure } from './run/runner.ts';
import { CHROMIUM_WORKLOADS, WORKLOADS } from './workloads.ts';

/** Whether `npm run build:native` has run. */
const hasNative = existsSync(nativeFile());

async function runtimeOf(major: number): Promise<Runtime> {
  // Node 24 comes with the devDependency; the others are installed where they are missing.
  if (major !== 24) console.error(await ensureNode(major));
  return { name: `node${major}`, binary: nodeBinary(major) };
}

async function runtimeFacts(runtime: Runtime, options: RunOptions): Promise<Machine['runtimes'][string]> {
  const crew = new Crew(runtime, { ...options, profiles: undefined });
  try {
    const port = await crew.start('facts-server').call('serve', { build: 'wss', tls: options.tls });
    const client = crew.start('facts-client');
    return {
      ...(await client.call('versions')),
      tlsGroup: await client.call('tlsGroup', { port, ca: options.tls.cert }),
    };
  } finally {
    await crew.stop();
  }
}

function progressLine(): (line: string) => void {
  const start = performance.now();
  return (line) => {
    const text = `[${((performance.now() - start) / 1_000).toFixed(0)} s] ${line}`;
    // One line that changes where somebody watches, one line for each step where it goes to a file.
    process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
  };
}

/** As the tables have it. */
function modeOf({ mode, launches }: Arguments): string {
  return launches === BUDGETS[mode].launches ? mode : `${mode} (launches: ${launches})`;
}

async function optionsOf(asked: Arguments, progress: RunOptions['progress']): Promise<RunOptions> {
  if (buildPackage()) progress('built the package');
  return {
    script: await bundlePeer(),
    tls: makeCertificate(),
    budget: { ...BUDGETS[asked.mode], launches: asked.launches },
    profiles: asked.profiles === undefined ? undefined : path.resolve(asked.profiles),
    progress,
  };
}

/** What is asked for and can be measured. */
function thereOf({ builds }: Arguments): Arguments['builds'] {
  return builds.filter((build) => hasNative || !build.startsWith('native'));
}

/** Where the time goes, alone. */
async function runProfile(asked: Arguments): Promise<void> {
  const date = new Date();
  const profiles = await profile(await runtimeOf(24), await optionsOf(asked, progressLine()), thereOf(asked));
  fillDocuments({ machine: machineFacts({}, modeOf(asked), date), results: [], profiles }, ['profile']);
  console.log(profileTable(profiles));
}

/** @returns what was measured, and what could not be */
async function run(asked: Arguments): Promise<{ report: Report; failed: readonly string[] }> {
  const date = new Date();
  const progress = progressLine();
  const options = await optionsOf(asked, progress);
  const there = thereOf(asked);
  if (there.length < asked.builds.length) progress('pq-websocket-native is not built (npm run build:native): left out');
  const facts: Record<string, Machine['runtimes'][string]> = {};
  const results: Result[] = [];
  const failed: string[] = [];
  for (const major of asked.nodes) {
    const runtime = await runtimeOf(major);
    facts[runtime.name] = await runtimeFacts(runtime, options);
    const own = major === asked.nodes[0] ? options : { ...options, budget: shorter(options.budget) };
    for (const plan of WORKLOADS.filter(({ name }) => asked.workloads.includes(name))) {
      const builds = plan.builds.filter((build) => there.includes(build));
      if (builds.length === 0) continue;
      try {
        results.push(...(await measure({ ...plan, builds }, runtime, own)));
      } catch (error) {
        // One that fails must not take the others' minutes with it; the exit code tells.
        failed.push(`${runtime.name} ${plan.name}: ${(error as Error).message}`);
        progress(`FAILED ${failed.at(-1)}`);
      }
    }
  }
  const inChromium = CHROMIUM_WORKLOADS.filter((name) => asked.workloads.includes(name));
  let chromium: string | undefined;
  if (inChromium.length > 0) {
    try {
      const measured = await measureChromium(inChromium, await runtimeOf(24), options);
      chromium = measured.version;
      results.push(...measured.results);
    } catch (error) {
      failed.push(`Chromium: ${(error as Error).message}`);
    }
  }
  let profiles: Report['profiles'];
  if (asked.isWhole && asked.profiled) {
    try {
      profiles = await profile(await runtimeOf(24), options, there);
    } catch (error) {
      failed.push(`where the time goes: ${(error as Error).message}`);
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const machine = { ...machineFacts(facts, modeOf(asked), date), ...(chromium !== undefined && { chromium }) };
  return { report: { machine, results, ...(profiles && { profiles }) }, failed };
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  let asked: Arguments;
  try {
    asked = readArguments(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  if (asked.help) {
    console.log(USAGE);
    return 0;
  }
  if (asked.profileOnly) {
    await runProfile(asked);
    return 0;
  }
  const { report, failed } = await run(asked);
  if (asked.isWhole) console.error(`wrote ${path.relative(process.cwd(), writeReport(report))}`);
  console.log(asked.json ? JSON.stringify(report, undefined, 2) : table(report.machine, report.results));
  for (const failure of failed) console.error(`not measured: ${failure}`);
  return failed.length === 0 ? 0 : 1;
}
