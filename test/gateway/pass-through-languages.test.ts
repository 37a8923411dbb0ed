/** Backends in Python and Go behind the gateway: nobody can tell the difference there either. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isCi } from '../../scripts/lib/ci.ts';
import { BACKEND_LANGUAGES, ensureBackend, missingProgram } from '../../scripts/lib/gateway-backends.ts';
import { once } from '../support/deferred.ts';
import { passThroughSuite } from './pass-through.ts';
import { startTestGateway } from './support.ts';

const INSTALL_MS = 5 * 60_000;

describe.each(BACKEND_LANGUAGES)('%s', (language) => {
  const missing = missingProgram(language);
  const isLeftOut = missing !== undefined && !isCi();
  let child: ChildProcess | undefined;
  let port = '';

  beforeAll(async () => {
    if (isLeftOut) return;
    const { command, args, env } = await ensureBackend(language);
    child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
    [port] = await once<[string]>(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line');
  }, INSTALL_MS);
  afterAll(() => {
    child?.kill('SIGKILL');
  });

  if (isLeftOut) {
    test.skip(`${missing} is not on this machine: install it to run the pass-through suite with a backend in ${language}`, () =>
      undefined);
    return;
  }
  test('the backend runs', () => {
    expect(port).toMatch(/^\d+$/);
  });
  passThroughSuite(language, async () => {
    const direct = `ws://127.0.0.1:${port}`;
    const gateway = await startTestGateway({ upstreams: [direct] });
    return { direct, gateway: gateway.url };
  });
});
