/** The builds, of which a process loads the one that it runs: the code of all would be memory that the collector of each looks at. */
import type { BuildName } from '../../results.ts';
import type { Build } from '../socket.ts';

const LOADERS: Readonly<Record<BuildName, () => Promise<Build>>> = {
  ws: async () => (await import('./plain.ts')).ws,
  wss: async () => (await import('./plain.ts')).wss,
  naive: async () => (await import('./naive.ts')).naive,
  pq: async () => (await import('./pq.ts')).pq,
  native: async () => (await import('./pq.ts')).native,
  'pq-wss': async () => (await import('./pq.ts')).pqWss,
  'native-wss': async () => (await import('./pq.ts')).nativeWss,
  'native-plain': async () => (await import('./pq.ts')).nativePlain,
  'node-crypto': async () => (await import('./bare.ts')).bareNode,
  'native-crypto': async () => (await import('./bare.ts')).bareNative,
};

const loaded = new Map<BuildName, Build>();

export async function loadBuild(name: BuildName): Promise<Build> {
  const build = loaded.get(name) ?? (await LOADERS[name]());
  loaded.set(name, build);
  return build;
}

/** @throws {Error} for one that is not loaded */
export function loadedBuild(name: BuildName): Build {
  const build = loaded.get(name);
  if (build === undefined) throw new Error(`the build ${name} is not loaded`);
  return build;
}
