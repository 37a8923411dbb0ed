/** Prometheus' own tool reads the alert rules and plays cases to them; every metric that they and the dashboard ask for is one that the gateway has. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { useCommand } from '../support/command.ts';
import { EXAMPLES, program, temporaryFolder } from './stack.ts';

const startCommand = useCommand();
const CASES = path.join(import.meta.dirname, 'alerts.yaml');
const read = (file: string): string => readFileSync(path.join(EXAMPLES, file), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}
const rules = (parse(read('prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}
const dashboard = JSON.parse(read('grafana/dashboards/pq-websocket-gateway.json')) as {
  panels: Panel[];
  templating: { list: { name: string }[] };
};
const panels = dashboard.panels.map((panel): [string, Panel] => [panel.title, panel]);

/** Fails with what the tool says. */
function promtool(args: readonly string[], input = ''): string {
  return execFileSync(program('promtool'), args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'inherit'] });
}

const metricsOf = (expr: string): string[] => expr.match(/\b(?:pqws_gateway|nodejs|process)_\w+/g) ?? [];

describe('prometheus', () => {
  test('its configuration and the rules that it loads are right', () => {
    expect(promtool(['check', 'config', path.join(EXAMPLES, 'prometheus/prometheus.yml')])).toContain(
      `${rules.length} rules found`,
    );
  });

  test('alerts fire when they should, and not otherwise', () => {
    expect(promtool(['test', 'rules', CASES])).toContain('SUCCESS');
  });

  test('every alert has a case in which it fires and one in which it does not, and says what to do', () => {
    const cases = (
      parse(readFileSync(CASES, 'utf8')) as {
        tests: { alert_rule_test: { alertname: string; exp_alerts?: unknown }[] }[];
      }
    ).tests;
    const names = (fires: boolean): string[] =>
      cases.flatMap(({ alert_rule_test: each }) =>
        each.filter(({ exp_alerts: alerts }) => (alerts !== undefined) === fires).map(({ alertname }) => alertname),
      );
    const all = rules.map(({ alert }) => alert).sort();
    expect(names(true).sort()).toEqual(all);
    expect([...new Set(names(false))].sort()).toEqual(all);
    for (const { annotations } of rules) expect(Object.keys(annotations)).toEqual(['summary', 'action']);
  });
});

test('every metric that the alerts and the dashboard ask for is there, and Prometheus has nothing to say about our names', async () => {
  // With workers: some of a process's own metrics are not added up, and so are not there.
  const gateway = startCommand([
    'gateway',
    '--listen',
    '127.0.0.1:0',
    '--admin',
    '127.0.0.1:0',
    '--workers',
    '2',
    '--upstream',
    'ws://127.0.0.1:9',
  ]);
  const { admin } = await gateway.line('all workers listen');
  const text = await (await fetch(`http://${String(admin)}/metrics`)).text();
  const names = [...text.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name, type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_count`] : [name],
  );
  for (const { alert, expr } of rules.filter((rule) => rule.alert !== 'PqGatewayDown')) {
    expect(metricsOf(expr), alert).not.toEqual([]);
    for (const name of metricsOf(expr)) expect(names, alert).toContain(name);
  }
  for (const [title, { targets }] of panels) {
    for (const { expr } of targets) {
      expect(metricsOf(expr), title).not.toEqual([]);
      for (const name of metricsOf(expr)) expect(names, title).toContain(name);
    }
  }
  promtool(['check', 'metrics'], text.replaceAll(/^.*\b(?:nodejs|process)_.*\n/gm, ''));
});

describe('the dashboard', () => {
  test('all its queries are PromQL', () => {
    const file = path.join(temporaryFolder(), 'queries.json');
    const asRules = panels.flatMap(([, { id, targets }]) =>
      targets.map(({ expr }, index) => ({
        record: `panel_${id}:query_${index}:value`,
        expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
      })),
    );
    // JSON is YAML.
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules: asRules }] }));
    expect(promtool(['check', 'rules', file])).toContain(`${asRules.length} rules found`);
    for (const { expr } of asRules) expect(expr).not.toContain('$');
  });

  test('its variables are those that it uses, its panels have ids of their own and do not lie over each other', () => {
    const text = JSON.stringify(dashboard);
    for (const { name } of dashboard.templating.list)
      expect(text).toMatch(new RegExp(`\\$(?:${name}\\b|\\{${name}\\})`));
    expect(new Set(panels.map(([, { id }]) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(
      ([
        ,
        {
          gridPos: { x, y, w, h },
        },
      ]) => Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    for (const [title, { targets }] of panels) {
      for (const { expr, legendFormat } of targets) {
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          expect(expr, title).toMatch(new RegExp(`by \\([^)]*\\b${label}\\b`));
      }
    }
  });
});
