/**
 * The Helm chart of examples/deploy, rendered. Helm takes minutes to build, so `npm test` does not run it: it checks the files
 * that `npm run helm` keeps in test/deploy/helm/rendered, and that they were made of the chart as it is.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram } from './debian.ts';
import { fillFolder } from './filled-folder.ts';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const CHART = path.join(ROOT, 'examples/deploy/helm/pq-websocket-gateway');
/** Each file here is a set of values, and becomes a file of the same name in `rendered`. */
const VALUES = path.join(ROOT, 'test/deploy/helm');
const HELM = 'helm.sh/helm/v4/cmd/helm@v4.3.2';
const FOLDER = path.join(ROOT, '.cache', 'helm');
const BUILD_TIMEOUT_MS = 30 * 60_000;

const USAGE = 'usage: npm run helm [-- --check]\n--check: change no file, and fail where one would change';

/** The names of the value sets, without `.yaml`. */
export function valueSets(): string[] {
  return readdirSync(VALUES)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => path.basename(name, '.yaml'))
    .sort();
}

/** Where the rendered chart of a set is kept. */
export function renderedFile(set: string): string {
  return path.join(VALUES, 'rendered', `${set}.yaml`);
}

/** The first line of a rendered file: it says of which chart and values it was made. */
export function renderedHeader(set: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(CHART, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of [...files.sort(), path.join(VALUES, `${set}.yaml`)]) {
    const content = readFileSync(file);
    hash.update(`${path.relative(ROOT, file).replaceAll(path.sep, '/')} ${content.length}\n`).update(content);
  }
  return `# Made by \`npm run helm\` of a chart and values whose SHA-256 is ${hash.digest('hex')}.`;
}

/** @returns the path of the binary */
async function ensureHelm(): Promise<string> {
  if (findProgram('go') === undefined) throw new Error('go is missing: Helm is built with it');
  await fillFolder(FOLDER, HELM, () =>
    run('go', ['install', HELM], { cwd: FOLDER, env: { GOBIN: FOLDER }, timeout: BUILD_TIMEOUT_MS }),
  );
  return path.join(FOLDER, 'helm');
}

function render(helm: string, set: string): string {
  const values = path.join(VALUES, `${set}.yaml`);
  execFileSync(helm, ['lint', '--strict', '--values', values, CHART], { stdio: ['ignore', 'inherit', 'inherit'] });
  const rendered = execFileSync(helm, ['template', 'chat', CHART, '--namespace', 'web', '--values', values], {
    encoding: 'utf8',
  });
  return `${renderedHeader(set)}\n${rendered}`;
}

/** @returns the exit code */
export async function main(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg !== '--check') || args.length > 1) {
    console.error(USAGE);
    return 2;
  }
  const helm = await ensureHelm();
  let stale = 0;
  for (const set of valueSets()) {
    const file = renderedFile(set);
    const rendered = render(helm, set);
    if (existsSync(file) && readFileSync(file, 'utf8') === rendered) continue;
    if (args.length > 0) {
      console.error(`${path.relative(ROOT, file)} is not what the chart renders now`);
      stale += 1;
      continue;
    }
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, rendered);
    console.log(`wrote ${path.relative(ROOT, file)}`);
  }
  return stale === 0 ? 0 : 1;
}
