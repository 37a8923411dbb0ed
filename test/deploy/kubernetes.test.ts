/** The Kubernetes manifest of examples/deploy, and what its Helm chart renders: schemas, and whether the parts fit each other. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isCi } from '../../scripts/lib/ci.ts';
import { parse } from 'yaml';
import { findProgram } from '../../scripts/lib/debian.ts';
import { CHART, renderedFile, renderedHeader, valueSets } from '../../scripts/lib/helm.ts';
import {
  ensureKubernetesValidate,
  KUBERNETES_VERSIONS,
  validateKubernetes,
} from '../../scripts/lib/kubernetes-validate.ts';
import { useCommand } from '../support/command.ts';
import { mountInto } from './containers.ts';
import { misfits, podMounts, resourcesOf } from './pods.ts';
import { CERTIFICATE, CERTIFICATE_KEY, EXAMPLES, temporaryFolder } from './stack.ts';

const startCommand = useCommand();
const MANIFEST = path.join(EXAMPLES, 'kubernetes.yaml');
const files = [
  ['kubernetes.yaml', MANIFEST],
  ...valueSets().map((set) => [`the chart with ${set}.yaml`, renderedFile(set)]),
] as [string, string][];
const read = (file: string): string => readFileSync(file, 'utf8');
/** Definitions of the Prometheus operator, for which Kubernetes itself has no schema. */
const OPERATOR = ['podmonitor', 'prometheusrule'];

const hasPython = findProgram('python3') !== undefined;
if (!hasPython && isCi()) throw new Error('python3 is missing: the schemas of Kubernetes come with it');

describe.runIf(hasPython)('the schemas of Kubernetes', () => {
  beforeAll(ensureKubernetesValidate, 5 * 60_000);

  test.each(files.flatMap((each) => KUBERNETES_VERSIONS.map((version) => [...each, version] as const)))(
    '%s is valid: %s in %s',
    (_, file, version) => {
      const said = validateKubernetes(file, version).trim().split('\n');
      const passed = said.filter((line) => / passed for resource /.test(line));
      expect(passed).toHaveLength(
        resourcesOf(read(file)).filter(({ kind }) => !OPERATOR.includes(kind.toLowerCase())).length,
      );
    },
  );

  test('a key that there is not is refused', () => {
    const file = path.join(temporaryFolder(), 'wrong.yaml');
    writeFileSync(file, read(MANIFEST).replace('runAsNonRoot', 'runAsNobody'));
    expect(() => validateKubernetes(file, KUBERNETES_VERSIONS[0])).toThrow('runAsNobody');
  });
});

describe.each(files)('%s', (_, file) => {
  test('its parts fit each other', () => {
    expect(misfits(resourcesOf(read(file)))).toEqual([]);
  });

  test('the gateway finds what its configuration names', async () => {
    const folder = temporaryFolder();
    const key = path.join(folder, 'identity.pem');
    expect((await startCommand(['keygen', '--out', key]).ended).code).toBe(0);
    const secrets = {
      tls: { 'tls.crt': read(CERTIFICATE), 'tls.key': read(CERTIFICATE_KEY) },
      identity: { 'identity.pem': read(key) },
    };
    const { mounts, args } = podMounts(resourcesOf(read(file)), secrets, folder);
    const root = temporaryFolder();
    mountInto(root, mounts);
    const config = path.join(root, args[1] as string);
    writeFileSync(config, read(config).replaceAll('/etc/pq-websocket', path.join(root, 'etc/pq-websocket')));
    const ended = await startCommand(['gateway', args[0] as string, config, '--check-config']).ended;
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  });
});

test.each([
  ['replicas: 2', 'replicas: 2', []],
  [
    'terminationGracePeriodSeconds: 45',
    'terminationGracePeriodSeconds: 30',
    ['pods end before their conversations are drained'],
  ],
  ['path: /readyz', 'path: /healthz', ['readinessProbe does not ask /readyz of the admin port']],
  ['targetPort: gateway', 'targetPort: admin', ['the service leads to the admin port']],
  ['listen: :8443', 'listen: :8444', ['the gateway listens on another port']],
  ['- name: tls', '- name: tlz', ['there is no volume tls']],
])('misfits are found: %s in place of %s', (right, wrong, problems) => {
  expect(read(MANIFEST)).toContain(right);
  expect(misfits(resourcesOf(read(MANIFEST).replace(right, wrong)))).toEqual(problems);
});

describe('the chart', () => {
  test.each(valueSets())('what it rendered with %s.yaml is of the chart as it is: else run `npm run helm`', (set) => {
    expect(read(renderedFile(set)).split('\n', 1)[0]).toBe(renderedHeader(set));
  });

  test('it has the alerts and the dashboard of this folder', () => {
    expect(read(path.join(CHART, 'files/alerts.yaml'))).toBe(read(path.join(EXAMPLES, 'prometheus/alerts.yaml')));
    const dashboard = 'pq-websocket-gateway.json';
    expect(read(path.join(CHART, 'files', dashboard))).toBe(read(path.join(EXAMPLES, 'grafana/dashboards', dashboard)));
  });

  test('its schema has every key of its values', () => {
    const schema = JSON.parse(read(path.join(CHART, 'values.schema.json'))) as {
      properties: Record<string, { properties?: Record<string, unknown>; additionalProperties?: boolean }>;
    };
    for (const [key, value] of Object.entries(
      parse(read(path.join(CHART, 'values.yaml'))) as Record<string, unknown>,
    )) {
      const node = schema.properties[key];
      expect(node, key).toBeDefined();
      if (node?.additionalProperties === false)
        expect(Object.keys(node.properties ?? {})).toEqual(expect.arrayContaining(Object.keys(value as object)));
    }
  });

  test('nothing is rendered that no set of values is kept of', () => {
    expect(readdirSync(path.dirname(renderedFile('plain'))).sort()).toEqual(valueSets().map((set) => `${set}.yaml`));
  });
});
