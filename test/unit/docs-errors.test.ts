/** docs/errors.md has every error code of the table, as the table has it, with a cause and a cure. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAILURES as COMMON } from '../../src/api/errors.ts';
import { SELDOM_FAILURES } from '../../src/api/seldom-failures.ts';

const FAILURES = { ...COMMON, ...SELDOM_FAILURES };
const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/errors.md'), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
);

test('the page has these codes and no others', () => {
  expect([...sections.keys()].sort()).toEqual(Object.keys(FAILURES).sort());
});

describe.each(Object.entries(FAILURES))('%s', (code, { closeCode, message }) => {
  test('message and close code are those of the table, and there are a cause and a cure', () => {
    const section = sections.get(code) ?? '';
    expect(section).toContain(`*${message}*. Close code: ${closeCode ?? 'none'}.`);
    for (const part of ['Cause', 'Cure']) expect(section).toMatch(new RegExp(`^- \\*\\*${part}\\.\\*\\* .{20}`, 'm'));
  });
});
