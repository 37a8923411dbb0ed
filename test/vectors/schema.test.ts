/** The files are what cases.schema.json says; the schema is judged by the few keywords that it uses. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface Schema {
  readonly $ref?: string;
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly pattern?: string;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly additionalProperties?: boolean;
}
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8'));
const schema = read('cases.schema.json') as Schema & { definitions: Record<string, Schema> };

const KEYWORDS = new Set(
  '$schema $id title definitions $ref type enum pattern required properties additionalProperties minProperties maxProperties minItems items oneOf'.split(
    ' ',
  ),
);

/** The first thing that is wrong, or undefined. */
function wrong(value: unknown, rules: Schema, at: string): string | undefined {
  for (const keyword of Object.keys(rules)) if (!KEYWORDS.has(keyword)) throw new Error(`keyword ${keyword}`);
  if (rules.$ref !== undefined) return wrong(value, schema.definitions[rules.$ref.slice('#/definitions/'.length)]!, at);
  if (rules.oneOf !== undefined) {
    const fits = rules.oneOf.filter((one) => wrong(value, one, at) === undefined);
    return fits.length === 0 ? `${at}: fits none` : undefined;
  }
  if (rules.enum !== undefined) return rules.enum.includes(value) ? undefined : `${at}: ${JSON.stringify(value)}`;
  const type = Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
  if (type !== rules.type) return `${at}: is ${type}`;
  if (typeof value === 'string' && rules.pattern !== undefined && !new RegExp(rules.pattern).test(value)) {
    return `${at}: ${value.slice(0, 40)}`;
  }
  if (Array.isArray(value)) {
    if (value.length < (rules.minItems ?? 0)) return `${at}: is empty`;
    for (const [i, item] of value.entries()) {
      const first = wrong(item, rules.items ?? {}, `${at}/${i}`);
      if (first !== undefined) return first;
    }
  } else if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value);
    const properties = rules.properties ?? {};
    for (const name of rules.required ?? []) if (!names.includes(name)) return `${at}: no ${name}`;
    if (names.length < (rules.minProperties ?? 0)) return `${at}: is empty`;
    if (names.length > (rules.maxProperties ?? Infinity)) return `${at}: has too much`;
    for (const [name, member] of Object.entries(value)) {
      const rule = properties[name];
      if (rule === undefined) {
        if (rules.additionalProperties === false) return `${at}: ${name}`;
        continue;
      }
      const first = wrong(member, rule, `${at}/${name}`);
      if (first !== undefined) return first;
    }
  }
  return undefined;
}

const INPUTS = [
  'start',
  'receive',
  'send',
  'close',
  'exchange',
  'ping',
  'export',
  'finish',
  'advance',
  'transportClosed',
];

test.each(['v1.json', 'yellowpages.json', 'extensions.json'])('%s', (file) => {
  const data = read(file) as { cases: { id: string; steps: Record<string, unknown>[]; after?: string }[] };
  expect(wrong(data, schema, file)).toBeUndefined();
  const ids = new Set(data.cases.map(({ id }) => id));
  for (const { id, steps, after } of data.cases) {
    expect([id, after === undefined || ids.has(after)]).toEqual([id, true]);
    // One input a step, and one failure a case.
    for (const step of steps) expect([id, INPUTS.filter((input) => input in step).length]).toEqual([id, 1]);
    expect([id, steps.filter((step) => 'fails' in step).length <= 1]).toEqual([id, true]);
  }
});

test('the schema refuses what is not of it', () => {
  const one = { id: 'x', title: '', class: '', sections: ['4.1'], needs: [], to: 'client', setup: {}, steps: [] };
  const file = (change: object): object => ({ format: 2, profile: 'v1', cases: [{ ...one, ...change }] });
  expect(wrong(file({}), schema, 'file')).toBeUndefined();
  for (const change of [
    { to: 'both' },
    { id: 'a b' },
    { sections: [] },
    { more: 1 },
    { steps: [{}] },
    { steps: [{ receive: {} }] },
    { setup: { pins: 'x' } },
  ]) {
    expect([change, wrong(file(change), schema, 'file') === undefined]).toEqual([change, false]);
  }
  expect(wrong({ ...file({}), format: 1 }, schema, 'file')).toBeDefined();
});
