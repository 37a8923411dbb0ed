/** docs/gateway.md names every key, flag and metric, and the examples are configurations that load. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { GATEWAY_SETTINGS } from '../../packages/cli/src/command/gateway.ts';
import { configFrom, loadConfig } from '../../packages/cli/src/gateway/config.ts';
import { gatewaySchema } from '../../packages/cli/src/gateway/schema.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');
const docs = read('docs/gateway.md');

interface SchemaNode {
  readonly wrapped?: SchemaNode;
  readonly item?: SchemaNode;
  readonly pipe?: readonly SchemaNode[];
  readonly options?: readonly unknown[];
  readonly entries?: Readonly<Record<string, SchemaNode>>;
}

/** Every key that can stand in a configuration, by its last part. */
function keysOf(node: SchemaNode): string[] {
  const inner = [node.wrapped, node.item, ...(node.pipe?.slice(0, 1) ?? []), ...(node.options ?? [])];
  const below = inner.filter((each): each is SchemaNode => typeof each === 'object' && each !== null && each !== node);
  const own = Object.entries(node.entries ?? {}).flatMap(([key, value]) => [key, ...keysOf(value)]);
  return [...own, ...below.flatMap(keysOf)];
}

const keys = [...new Set(keysOf(gatewaySchema as unknown as SchemaNode))];

describe('docs/gateway.md names', () => {
  test('there are keys to look for', () => {
    expect(keys.length).toBeGreaterThan(40);
  });

  test.each(keys)('the key %s', (key) => {
    expect(docs).toMatch(new RegExp(`\`(?:[\\w[\\].]*\\.)?${key}[\`.]`));
  });

  test.each(GATEWAY_SETTINGS.map(({ flags, env }) => [/--[\w-]+/.exec(flags)?.[0] as string, env]))(
    'the flag %s, whose variable is %s',
    (flag, env) => {
      expect(docs).toContain(`\`${flag}\``);
      expect(env).toBe(`PQ_GATEWAY_${flag.slice(2).toUpperCase().replaceAll('-', '_')}`);
    },
  );

  test.each(
    [...read('packages/cli/src/gateway/metrics.ts').matchAll(/'(pqws_gateway_\w+)'/g)].map(
      ([, name]) => name as string,
    ),
  )('the metric %s', (name) => {
    expect(docs).toContain(`\`${name}`);
  });
});

test.each([
  ['gateway.yaml', { workers: 'cores' }],
  ['behind-nginx.yaml', { trustedProxies: ['127.0.0.1'] }],
  ['behind-haproxy.yaml', { proxyProtocol: true }],
])('the example %s has the shape that is documented', (file, settings) => {
  expect(loadConfig(path.join(ROOT, 'examples/deploy', file), []).settings).toMatchObject(settings);
});

describe('docs/from-other-proxies.md', () => {
  const page = read('docs/from-other-proxies.md');

  test('its example is a configuration', () => {
    const [, example] = /```yaml\n([^]*?)```/.exec(page) ?? [];
    expect(() => configFrom(parse(example as string))).not.toThrow();
  });

  test('the keys beside the directives of others are keys', () => {
    const cells = [...page.matchAll(/^\|.*\| ([^|]*) \|$/gm)].map(([, last]) => last as string);
    const named = cells.flatMap((cell) =>
      [...cell.matchAll(/`([a-z][\w[\]]*(?:\.\w+)*)(?:: \w+)?`/g)].map(([, key]) => key as string),
    );
    expect(named.length).toBeGreaterThan(25);
    for (const name of named) for (const part of name.split('.')) expect(keys, name).toContain(part.replace('[]', ''));
  });
});
