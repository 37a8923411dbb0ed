/**
 * `npm run release`: builds, checks and packs every package, writes an SBOM, and publishes. With `--dry-run` it does all but
 * publish, and says what a real release would be refused for.
 */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { stageNative } from './lib/native-packages.ts';
import { run } from './lib/run.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const OUT = path.join(ROOT, '.cache', 'release');
/** Folders that are packed and stand nowhere in the repository. */
const STAGED = path.join(ROOT, '.cache', 'release-staged');
const LIMIT_MS = 10 * 60_000;
const execute = promisify(execFile);

/** In the order in which they are published: each after what it depends on. */
const PACKAGES = ['.', 'packages/nitro', 'packages/cli'] as const;
const NATIVE = 'packages/native';

const USAGE = `usage: npm run release [-- --dry-run] [--native FOLDER]
FOLDER holds the compiled code of pq-websocket-native for every platform, as the release workflow's builds leave it (packages/native).`;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly repository?: unknown;
}

async function manifestOf(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(ROOT, folder, 'package.json'), 'utf8')) as Manifest;
}

/** Why these sources cannot be released as they stand. */
async function objections(): Promise<string[]> {
  const found: string[] = [];
  const manifests = await Promise.all([...PACKAGES, NATIVE].map(manifestOf));
  const [root] = manifests as [Manifest, ...Manifest[]];
  for (const { name, version, repository } of manifests) {
    if (version !== root.version) found.push(`${name} has version ${version}, and ${root.name} ${root.version}`);
    if (repository === undefined) found.push(`${name}: package.json has no 'repository', which provenance names`);
  }
  const changelog = await readFile(path.join(ROOT, 'CHANGELOG.md'), 'utf8');
  if (!changelog.includes(`## [${root.version}]`)) found.push(`CHANGELOG.md has no section for ${root.version}`);
  const { stdout } = await execute('git', ['status', '--porcelain'], { cwd: ROOT });
  if (stdout !== '') found.push('there are changes that are not committed');
  return found;
}

async function pack(root: string, folder: string, target: string): Promise<string> {
  await mkdir(target, { recursive: true });
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel', 'error', '--pack-destination', target];
  const options = { cwd: path.join(root, folder), timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 };
  const [report] = JSON.parse((await execute('npm', args, options)).stdout) as [{ filename: string }];
  return path.join(target, report.filename);
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

/** Builds the same sources in another folder. @throws {Error} where a tarball differs by a byte */
async function buildElsewhere(tarballs: readonly string[]): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-release-'));
  try {
    const copy = path.join(scratch, 'another', 'folder');
    await mkdir(copy, { recursive: true });
    const left = new Set(['node_modules', '.cache', '.git', '.wireit', 'dist']);
    for (const name of await readdir(ROOT)) {
      if (left.has(name)) continue;
      await cp(path.join(ROOT, name), path.join(copy, name), {
        recursive: true,
        filter: (source) => !/\/(?:dist|node_modules|target)(?:\/|$)/.test(source.slice(ROOT.length)),
      });
    }
    // Links to this folder's modules would show in what is bundled of them, as paths.
    const install = ['ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel', 'error'];
    await run('npm', install, { cwd: copy, timeout: LIMIT_MS });
    await run(process.execPath, ['scripts/build.mjs'], { cwd: copy, timeout: LIMIT_MS });
    for (const [index, folder] of PACKAGES.entries()) {
      const first = tarballs[index] as string;
      const second = await pack(copy, folder, path.join(scratch, 'packed'));
      if ((await sha256(first)) !== (await sha256(second)))
        throw new Error(`${path.basename(first)}: two builds differ`);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** What is in it, for who has to account for it: CycloneDX, without what only development needs. */
async function writeSbom(): Promise<string> {
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only'];
  const { stdout } = await execute('npm', args, { cwd: ROOT, timeout: LIMIT_MS, maxBuffer: 64 * 1024 * 1024 });
  const file = path.join(OUT, 'sbom.cdx.json');
  const { bomFormat, components } = JSON.parse(stdout) as { bomFormat?: string; components?: unknown[] };
  if (bomFormat !== 'CycloneDX' || (components ?? []).length === 0)
    throw new Error('npm sbom gave no CycloneDX document');
  await writeFile(file, stdout);
  return `${file}: ${components?.length ?? 0} components`;
}

export async function main(args: readonly string[]): Promise<number> {
  let isDry: boolean;
  let compiled: string;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { 'dry-run': { type: 'boolean', default: false }, native: { type: 'string', default: NATIVE } },
    });
    isDry = values['dry-run'];
    compiled = path.resolve(ROOT, values.native);
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  const against = await objections();
  const native = await stageNative(compiled, path.join(STAGED, 'native'));
  for (const platform of native.missing) against.push(`${NATIVE}: no compiled code for ${platform}`);
  if (!isDry && against.length > 0) {
    for (const reason of against) console.error(`refused: ${reason}`);
    return 1;
  }
  await rm(OUT, { recursive: true, force: true });
  await mkdir(OUT, { recursive: true });
  await run(process.execPath, ['scripts/build.mjs'], { cwd: ROOT, timeout: LIMIT_MS });
  await run(process.execPath, ['scripts/sri.mjs', '--check'], { cwd: ROOT, timeout: LIMIT_MS });
  await run(process.execPath, ['scripts/sizes.mjs'], { cwd: ROOT, timeout: LIMIT_MS });
  const tarballs: string[] = [];
  for (const folder of PACKAGES) {
    const tarball = await pack(ROOT, folder, OUT);
    tarballs.push(tarball);
    console.log(`${path.basename(tarball)}: sha256 ${await sha256(tarball)}`);
  }
  await buildElsewhere(tarballs);
  console.log('a second build in another folder gave the same tarballs, byte for byte');
  for (const folder of native.folders) {
    const tarball = await pack(ROOT, path.relative(ROOT, folder), OUT);
    tarballs.push(tarball);
    console.log(`${path.basename(tarball)}: sha256 ${await sha256(tarball)}`);
  }
  console.log(await writeSbom());
  // npm signs where the forge lends it an identity; elsewhere --provenance is an error of npm's.
  const provenance = process.env['ACTIONS_ID_TOKEN_REQUEST_URL'] === undefined ? [] : ['--provenance'];
  console.log(provenance.length > 0 ? 'signed with provenance' : 'no forge lends an identity here: no provenance');
  if (isDry) {
    for (const reason of against) console.log(`a real release would be refused: ${reason}`);
    console.log('dry run: nothing was published');
    return 0;
  }
  for (const tarball of tarballs) {
    const publish = ['publish', tarball, '--access', 'public', '--ignore-scripts', ...provenance];
    await run('npm', publish, { cwd: ROOT, timeout: LIMIT_MS });
  }
  return 0;
}
