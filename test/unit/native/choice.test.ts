/** When pq-websocket-native does a connection's cryptography: where it is installed, unless it is demanded or refused. */
import { rmSync, symlinkSync, mkdtempSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type * as Choice from '../../../src/crypto/node/choose.ts';
import { NATIVE_PACKAGE, nativeBinding } from '../../support/native.ts';

const isBuilt = nativeBinding('the tests of when it is chosen') !== undefined;
const CHOOSE = fileURLToPath(new URL('../../../src/crypto/node/choose.ts', import.meta.url));
const VARIABLE = 'PQ_WEBSOCKET_NATIVE';

afterEach(() => {
  vi.unstubAllEnvs();
});

/** choose.ts as after a start of the process: what it has found is forgotten. */
async function freshChoice(): Promise<typeof Choice> {
  vi.resetModules();
  return import('../../../src/crypto/node/choose.ts');
}

describe.skipIf(!isBuilt)('installed', () => {
  it.each([
    ['auto', undefined, 'native'],
    ['', undefined, 'native'],
    ['require', undefined, 'native'],
    ['off', undefined, 'node'],
    ['off', true, 'native'],
    ['require', false, 'node'],
    ['auto', false, 'node'],
  ] as const)('%j in the environment and %s in the options: %s', async (variable, option, name) => {
    vi.stubEnv(VARIABLE, variable);
    const { chooseBackend, nativeMask } = await freshChoice();
    expect(chooseBackend(option).name).toBe(name);
    expect(nativeMask() !== undefined).toBe(name === 'native');
    expect(chooseBackend(option)).toBe(chooseBackend(option));
  });

  it('takes no other value of the variable', async () => {
    vi.stubEnv(VARIABLE, 'yes');
    const { chooseBackend } = await freshChoice();
    expect(() => chooseBackend()).toThrow(new TypeError(`${VARIABLE} takes 'auto', 'off' and 'require'`));
    expect(chooseBackend(true).name).toBe('native');
  });
});

describe.each(['esm', 'cjs'] as const)('bundled as %s', (format) => {
  let folder: string;
  let script: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'pq-choice-'));
    script = path.join(folder, format === 'esm' ? 'script.mjs' : 'script.cjs');
    await build({
      stdin: {
        contents: `import { chooseBackend, nativeMask } from ${JSON.stringify(CHOOSE)};
          const outcome = (option) => {
            try {
              return chooseBackend(option).name;
            } catch (error) {
              return error.message + ': ' + error.cause?.code;
            }
          };
          console.log(JSON.stringify([outcome(), outcome(true), outcome(false), typeof nativeMask()]));`,
        resolveDir: folder,
      },
      outfile: script,
      bundle: true,
      platform: 'node',
      format,
      // As tsup.config.ts has it.
      // As people bundle packages that require Node's modules.
      ...(format === 'esm' && {
        banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      }),
      ...(format === 'cjs' && { define: { 'import.meta.url': '__filename' } }),
    });
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const outcomes = (variable: string, ...flags: string[]): unknown => {
    const env = { ...process.env, [VARIABLE]: variable };
    return JSON.parse(execFileSync(process.execPath, [...flags, script], { env, encoding: 'utf8' }));
  };
  const demanded = (by: string, code: string): string =>
    `pq-websocket-native is demanded by ${by} and cannot be loaded: ${code}`;

  it('does without where it is not installed, unless it is demanded', () => {
    const missing = 'MODULE_NOT_FOUND';
    expect(outcomes('auto')).toEqual(['node', demanded("option 'native'", missing), 'node', 'undefined']);
    expect(outcomes('require')).toEqual([
      demanded(VARIABLE, missing),
      demanded("option 'native'", missing),
      'node',
      'undefined',
    ]);
  });

  it.skipIf(!isBuilt)('finds it in node_modules beside it, and does without where addons are forbidden', () => {
    const modules = path.join(folder, 'node_modules');
    rmSync(modules, { recursive: true, force: true });
    symlinkSync(path.join(NATIVE_PACKAGE, '../../node_modules'), modules);
    expect(outcomes('auto')).toEqual(['native', 'native', 'node', 'function']);
    expect(outcomes('auto', '--no-addons')).toEqual([
      'node',
      demanded("option 'native'", 'ERR_PQ_NATIVE_NOT_FOUND'),
      'node',
      'undefined',
    ]);
    rmSync(modules);
  });
});
