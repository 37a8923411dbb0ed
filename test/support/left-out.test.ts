import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { isLeftOut, isLeftOutHere, notLinux } from './left-out.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('what is left out is said, and fails in CI where the machine could be given it', () => {
  const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  vi.stubEnv('CI', 'true');
  expect(isLeftOut('the tests', undefined)).toBe(false);
  expect(isLeftOutHere('the tests', notLinux('linux'))).toBe(false);
  expect(() => isLeftOut('the tests', 'no tcpdump')).toThrow('no tcpdump; would be left out: the tests');
  expect(warn).not.toHaveBeenCalled();
  expect(isLeftOutHere('the tests', notLinux('darwin'))).toBe(true);
  vi.stubEnv('CI', 'false');
  expect(isLeftOut('the tests', 'no tcpdump')).toBe(true);
  expect(warn.mock.calls).toEqual([
    ['this needs Linux, not darwin; left out: the tests'],
    ['no tcpdump; left out: the tests'],
  ]);
});

test('each test that depends on the machine says so where it is left out', () => {
  const root = path.resolve(import.meta.dirname, '..');
  const files = globSync('**/*.test.ts', { cwd: root, exclude: (name) => name === 'node_modules' });
  expect(files.length).toBeGreaterThan(100);
  const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
  const asks =
    /\b(?:findProgram|missingProgram|getuid|existsSync|searchMemory)\(|process\.platform|['"`]\/(?:proc|dev)\//;
  const says = /from '[^']*\/(?:left-out|ci|native|shared-vectors)\.ts'/;
  const silent = files.filter((file) => {
    const text = read(file);
    const isConditional = /\.(?:skipIf|runIf)\(/.test(text) || /\bsearchMemory\(/.test(text);
    return isConditional && asks.test(text) && !says.test(text);
  });
  expect(silent).toEqual([]);
});
