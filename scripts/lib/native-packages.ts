/**
 * What npm gets of packages/native: `pq-websocket-native`, and a package with the compiled code for each platform, in the way
 * of napi-rs. The committed package.json names none of these, since `npm ci` fails on a name that is not published.
 */
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

const CRATE = path.resolve(import.meta.dirname, '../../packages/native');

export interface Platform {
  /** As the loader in packages/native/index.cjs names it. */
  readonly name: string;
  readonly os: string;
  readonly cpu: string;
  /** npm installs no package whose C library is another than the machine's. */
  readonly libc?: 'glibc' | 'musl';
}

export const PLATFORMS: readonly Platform[] = [
  { name: 'linux-x64-gnu', os: 'linux', cpu: 'x64', libc: 'glibc' },
  { name: 'linux-arm64-gnu', os: 'linux', cpu: 'arm64', libc: 'glibc' },
  { name: 'linux-x64-musl', os: 'linux', cpu: 'x64', libc: 'musl' },
  { name: 'linux-arm64-musl', os: 'linux', cpu: 'arm64', libc: 'musl' },
  { name: 'darwin-x64', os: 'darwin', cpu: 'x64' },
  { name: 'darwin-arm64', os: 'darwin', cpu: 'arm64' },
  { name: 'win32-x64-msvc', os: 'win32', cpu: 'x64' },
  { name: 'win32-arm64-msvc', os: 'win32', cpu: 'arm64' },
];

export interface StagedNative {
  /** Folders to pack, in the order in which they are published: the platforms first. */
  readonly folders: readonly string[];
  /** Platforms whose compiled code was not found. */
  readonly missing: readonly string[];
}

function codeFile(platform: string): string {
  return `pq-websocket-native.${platform}.node`;
}

/** Puts the packages into folders of `target`, with the compiled code that stands in the folder `from`. */
export async function stageNative(from: string, target: string): Promise<StagedNative> {
  const manifest = JSON.parse(await readFile(path.join(CRATE, 'package.json'), 'utf8')) as Record<string, unknown> & {
    name: string;
    version: string;
    files: readonly string[];
  };
  const present = new Set(await readdir(from));
  const found = PLATFORMS.filter(({ name }) => present.has(codeFile(name)));
  await rm(target, { recursive: true, force: true });
  const folders: string[] = [];
  for (const { name, os, cpu, libc } of found) {
    const folder = path.join(target, name);
    await mkdir(folder, { recursive: true });
    await copyFile(path.join(from, codeFile(name)), path.join(folder, codeFile(name)));
    await cp(path.join(CRATE, 'LICENSE'), path.join(folder, 'LICENSE'));
    await writeJson(path.join(folder, 'package.json'), {
      name: `${manifest.name}-${name}`,
      version: manifest.version,
      description: `The compiled code of ${manifest.name} for ${name}.`,
      ...pick(manifest, ['license', 'engines', 'repository']),
      os: [os],
      cpu: [cpu],
      ...(libc !== undefined && { libc: [libc] }),
      main: codeFile(name),
      files: [codeFile(name)],
    });
    folders.push(folder);
  }
  const main = path.join(target, 'main');
  await mkdir(main, { recursive: true });
  for (const file of manifest.files) await cp(path.join(CRATE, file), path.join(main, file), { recursive: true });
  await writeJson(path.join(main, 'package.json'), {
    ...manifest,
    optionalDependencies: Object.fromEntries(found.map(({ name }) => [`${manifest.name}-${name}`, manifest.version])),
  });
  const missing = PLATFORMS.filter((platform) => !found.includes(platform)).map(({ name }) => name);
  return { folders: [...folders, main], missing };
}

function pick(from: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]));
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
