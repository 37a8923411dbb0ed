/** What the schemas of Kubernetes do not say of a manifest: whether its parts fit each other, and the gateway's own rules. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Mount } from './containers.ts';

interface Metadata {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
}
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Metadata;
}
interface ConfigMap extends Resource {
  readonly data: Readonly<Record<string, string>>;
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}
interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
}
interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly secret?: { readonly secretName: string };
}
interface Deployment extends Resource {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: Metadata;
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly Container[];
        readonly volumes: readonly Volume[];
      };
    };
  };
}
interface Service extends Resource {
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly targetPort: string }[];
  };
}
interface GatewayFile {
  readonly listen: string;
  readonly admin: { readonly listen: string };
  readonly drain?: { readonly delay?: number; readonly deadline?: number };
}

/** Files of a secret that a deployment names, by the end of its volume's name. */
export type Secrets = Readonly<Record<'tls' | 'identity', Readonly<Record<string, string>>>>;

export function resourcesOf(text: string): Resource[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Resource);
}

/** The one resource of a kind, but for a dashboard's. */
function only<T extends Resource>(resources: readonly Resource[], kind: string): T {
  const found = resources.filter((each) => each.kind === kind && !each.metadata.name.endsWith('-dashboard'));
  if (found.length !== 1) throw new Error(`${found.length} resources of kind ${kind}`);
  return found[0] as T;
}

function matches(labels: Readonly<Record<string, string>> = {}, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** @returns what does not fit; nothing where all does */
export function misfits(resources: readonly Resource[]): string[] {
  const deployment = only<Deployment>(resources, 'Deployment');
  const service = only<Service>(resources, 'Service');
  const { template, selector } = deployment.spec;
  const [container] = template.spec.containers as [Container];
  const config = gatewayFile(resources);
  const ports = new Map(container.ports.map(({ name, containerPort }) => [name, containerPort]));
  const { delay = 0, deadline = 30_000 } = config.drain ?? {};
  const probes = { startupProbe: '/healthz', livenessProbe: '/healthz', readinessProbe: '/readyz' } as const;
  const checks: [string, boolean][] = [
    ['the deployment does not select its own pods', matches(template.metadata.labels, selector.matchLabels)],
    ['the service does not select the pods', matches(template.metadata.labels, service.spec.selector)],
    [
      'the service names a port that the container has not',
      service.spec.ports.every(({ targetPort }) => ports.has(targetPort)),
    ],
    ['the service leads to the admin port', service.spec.ports.every(({ targetPort }) => targetPort !== 'admin')],
    ['the gateway listens on another port', config.listen === `:${ports.get('gateway')}`],
    ['the admin port is another one', config.admin.listen === `:${ports.get('admin')}`],
    [
      'pods end before their conversations are drained',
      template.spec.terminationGracePeriodSeconds * 1000 >= delay + deadline + 10_000,
    ],
    ...Object.entries(probes).map(([name, wanted]): [string, boolean] => {
      const { path: asked, port } = container[name as keyof typeof probes].httpGet;
      return [`${name} does not ask ${wanted} of the admin port`, asked === wanted && port === 'admin'];
    }),
    ...container.volumeMounts.map(({ name }): [string, boolean] => [
      `there is no volume ${name}`,
      template.spec.volumes.some((each) => each.name === name),
    ]),
  ];
  return checks.flatMap(([problem, isRight]) => (isRight ? [] : [problem]));
}

function gatewayFile(resources: readonly Resource[]): GatewayFile {
  return parse(only<ConfigMap>(resources, 'ConfigMap').data['gateway.yaml'] as string) as GatewayFile;
}

/**
 * Writes each volume of the pods below a folder.
 * @returns what is mounted in the container, and its arguments
 */
export function podMounts(
  resources: readonly Resource[],
  secrets: Secrets,
  folder: string,
): { mounts: Mount[]; args: readonly string[] } {
  const { containers, volumes } = only<Deployment>(resources, 'Deployment').spec.template.spec;
  const [container] = containers as [Container];
  const configMap = only<ConfigMap>(resources, 'ConfigMap');
  const mounts = container.volumeMounts.map(({ name, mountPath, readOnly = false }): Mount => {
    const volume = volumes.find((each) => each.name === name);
    const files = volume?.secret === undefined ? configMap.data : secrets[name as keyof Secrets];
    if (volume?.configMap !== undefined && volume.configMap.name !== configMap.metadata.name)
      throw new Error(`${name} is of another config map`);
    const source = path.join(folder, name);
    mkdirSync(source);
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(source, file), content);
    return { source, target: mountPath, readOnly };
  });
  return { mounts, args: container.args };
}
