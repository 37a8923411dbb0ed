/** Each bundler, as its own documentation has it: no option that says how to resolve this package. */
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as esbuild } from 'esbuild';
import { toolFolder } from '../../scripts/lib/locked-tools.ts';

export interface Built {
  /** Every script that the page may load. */
  readonly scripts: readonly string[];
  /** What serves the page: a folder and its HTML, or an address. */
  readonly folder: string;
  readonly html: string;
  readonly url?: string;
  readonly more?: string;
  readonly stop?: () => Promise<void>;
}

const TOOLS = toolFolder('bundlers');
const require = createRequire(path.join(TOOLS, 'package.json'));
const tool = async (name: string): Promise<any> => import(pathToFileURL(require.resolve(name)).href); // eslint-disable-line @typescript-eslint/no-explicit-any -- five tools, each called once
const BUILD_LIMIT_MS = 5 * 60_000;

/** The application: it talks, and says how it ended. */
const APP = `
import { PQWebSocket } from 'pq-websocket';
globalThis.talk = (url, options) => new Promise((resolve) => {
  const seen = [];
  const socket = new PQWebSocket(url, [], options);
  socket.onopen = () => socket.send('said in a bundle');
  socket.onmessage = ({ data }) => { seen.push(data); socket.close(4000, 'bye'); };
  socket.onclose = ({ code, reason, wasClean }) => resolve([...seen, code, reason, wasClean, socket.pq.nativeKem]);
});
`;

const page = (script: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script>`;

async function scriptsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /\.m?js$/.test(name)).map((name) => path.join(folder, name));
}

async function app(folder: string): Promise<string> {
  const file = path.join(folder, 'app.js');
  await writeFile(path.join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(file, APP);
  return file;
}

async function served(folder: string): Promise<Built> {
  return { folder, html: page('/app.js'), scripts: await scriptsIn(folder) };
}

async function runTool(command: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<void> {
  const child = spawn(process.execPath, command, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: BUILD_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(said.slice(-2500)));
    });
  });
}

async function esbuildWith(folder: string, splitting: boolean): Promise<Built> {
  const entry = await app(folder);
  const outdir = path.join(folder, 'out');
  await esbuild({
    entryPoints: [entry],
    absWorkingDir: folder,
    outdir,
    bundle: true,
    minify: true,
    format: 'esm',
    splitting,
    platform: 'browser',
    logLevel: 'silent',
    tsconfigRaw: {},
  });
  return served(outdir);
}

/** The console's functions and the page of Next.js's own application folder. */
async function next(folder: string): Promise<Built> {
  await app(folder);
  await mkdir(path.join(folder, 'app/edge'), { recursive: true });
  const files = {
    'app/layout.js':
      'export default function Layout({ children }) { return <html lang="en"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>; }\n',
    'app/page.js': "import Client from './client';\nexport default function Page() { return <Client />; }\n",
    'app/client.js': `'use client';\nimport { useEffect } from 'react';\n${APP.replace('globalThis.talk =', 'const talk =')}\nexport default function Client() { useEffect(() => { globalThis.talk = talk; }, []); return <p>pq</p>; }\n`,
    'app/edge/route.js': `import { PQWebSocket } from 'pq-websocket';\nimport { wrapServerSocket } from 'pq-websocket/server';\nexport const runtime = 'edge';\nexport const dynamic = 'force-dynamic';\nexport function GET() { return Response.json([PQWebSocket.name, typeof wrapServerSocket]); }\n`,
    'next.config.mjs': `export default { outputFileTracingRoot: ${JSON.stringify(TOOLS)}, turbopack: { root: ${JSON.stringify(TOOLS)} } };\n`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  const command = require.resolve('next/dist/bin/next');
  const env = { NEXT_TELEMETRY_DISABLED: '1', CI: '1', NODE_ENV: 'production' };
  await runTool([command, 'build'], folder, env);
  const server = spawn(process.execPath, [command, 'start', '-p', '0', '-H', '127.0.0.1'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async (): Promise<void> => {
    if (server.exitCode !== null) return;
    const ended = new Promise((resolve) => server.once('close', resolve));
    server.kill('SIGKILL');
    await ended;
  };
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    server.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = /http:\/\/(?:127\.0\.0\.1|localhost):(\d+)/.exec(said);
      if (found !== null && found[1] !== '0') resolve(`http://127.0.0.1:${found[1]}`);
    });
    server.once('close', () => {
      reject(new Error(`next start ended: ${said}`));
    });
  });
  try {
    const edge = await (await fetch(`${url}/edge`, { signal: AbortSignal.timeout(60_000) })).text();
    if (edge !== '["PQWebSocket","function"]') throw new Error(`the edge route said ${edge.slice(0, 500)}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    folder,
    html: '',
    url,
    scripts: await scriptsIn(path.join(folder, '.next/static')),
    more: ', and its edge route answered',
    stop,
  };
}

export const BUNDLERS: Readonly<Record<string, (folder: string) => Promise<Built>>> = {
  esbuild: (folder) => esbuildWith(folder, false),
  'esbuild --splitting': (folder) => esbuildWith(folder, true),
  async rollup(folder) {
    const [{ rollup }, { nodeResolve }] = await Promise.all([tool('rollup'), tool('@rollup/plugin-node-resolve')]);
    const bundle = await rollup({
      input: await app(folder),
      plugins: [nodeResolve({ browser: true })],
      logLevel: 'silent',
    });
    const dir = path.join(folder, 'out');
    await bundle.write({ dir, format: 'es' });
    await bundle.close();
    return served(dir);
  },
  async webpack(folder) {
    const { default: webpack } = await tool('webpack');
    const output = { path: path.join(folder, 'out'), filename: 'app.js', publicPath: '/' };
    const compiler = webpack({ mode: 'production', context: folder, entry: await app(folder), output });
    await new Promise<void>((resolve, reject) => {
      compiler.run((error: Error | null, stats?: { hasErrors(): boolean; toString(): string }) => {
        compiler.close(() => {
          if (error === null && stats?.hasErrors() === false) resolve();
          else reject(error ?? new Error(stats?.toString()));
        });
      });
    });
    return served(output.path);
  },
  async vite(folder) {
    const { build } = await tool('vite');
    await app(folder);
    await writeFile(path.join(folder, 'index.html'), page('/app.js'));
    await build({
      root: folder,
      logLevel: 'silent',
      configFile: false,
      build: { rollupOptions: { output: { entryFileNames: 'app.js' } } },
    });
    return served(path.join(folder, 'dist'));
  },
  async parcel(folder) {
    await app(folder);
    await writeFile(path.join(folder, 'index.html'), page('./app.js'));
    const args = ['build', 'index.html', '--no-cache', '--no-source-maps', '--dist-dir', 'out', '--no-content-hash'];
    await runTool([require.resolve('parcel/lib/bin.js'), ...args], folder, { PARCEL_WORKERS: '0', CI: '1' });
    const out = path.join(folder, 'out');
    return { folder: out, html: await readFile(path.join(out, 'index.html'), 'utf8'), scripts: await scriptsIn(out) };
  },
  next,
  async 'import map'(folder) {
    await app(folder);
    const modules = path.join(TOOLS, 'node_modules');
    const noble = ['ciphers', 'curves', 'hashes', 'post-quantum'];
    const imports = {
      'pq-websocket': '/pq-websocket/dist/web/index.js',
      ...Object.fromEntries(noble.map((name) => [`@noble/${name}/`, `/@noble/${name}/`])),
    };
    const html = page('/app.js').replace(
      '<script type="module"',
      `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module"`,
    );
    await writeFile(path.join(modules, 'app.js'), APP);
    return { folder: modules, html, scripts: [path.join(modules, 'pq-websocket/dist/web/index.js')] };
  },
};
