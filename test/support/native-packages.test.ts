import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { platformName } from '../../scripts/lib/native.ts';
import { PLATFORMS, stageNative } from '../../scripts/lib/native-packages.ts';

const CRATE = path.resolve(import.meta.dirname, '../../packages/native');
let scratch: string;

beforeEach(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'pq-websocket-staged-'));
});

afterEach(async () => {
  await rm(scratch, { recursive: true });
});

async function manifest(folder: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
}

test('each platform that was compiled is a package of its own, and the main one names just these', async () => {
  const compiled = ['linux-x64-musl', 'darwin-arm64'];
  for (const name of compiled) await writeFile(path.join(scratch, `pq-websocket-native.${name}.node`), name);
  const { folders, missing } = await stageNative(scratch, path.join(scratch, 'staged'));
  const [musl, darwin, main] = (await Promise.all(folders.map(manifest))) as [
    Record<string, unknown>,
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  const { version } = await manifest(CRATE);
  expect(musl).toMatchObject({
    name: 'pq-websocket-native-linux-x64-musl',
    version,
    os: ['linux'],
    cpu: ['x64'],
    libc: ['musl'],
    main: 'pq-websocket-native.linux-x64-musl.node',
  });
  expect(darwin).toMatchObject({ name: 'pq-websocket-native-darwin-arm64', os: ['darwin'], cpu: ['arm64'] });
  expect(darwin).not.toHaveProperty('libc');
  expect(main).toMatchObject({ name: 'pq-websocket-native', main: './index.cjs' });
  expect(main['optionalDependencies']).toEqual({
    'pq-websocket-native-linux-x64-musl': version,
    'pq-websocket-native-darwin-arm64': version,
  });
  expect(await readFile(path.join(folders[0] as string, 'pq-websocket-native.linux-x64-musl.node'), 'utf8')).toBe(
    'linux-x64-musl',
  );
  expect(missing).toHaveLength(PLATFORMS.length - compiled.length);
});

test('the committed package.json names no package that is made at release', async () => {
  expect(await manifest(CRATE)).not.toHaveProperty('optionalDependencies');
});

test('this platform is among those that are released, by the name that the loader asks for', async () => {
  expect(PLATFORMS.map(({ name }) => name)).toContain(platformName());
  expect(await readFile(path.join(CRATE, 'index.cjs'), 'utf8')).toContain('`pq-websocket-native-${platform}`');
});
