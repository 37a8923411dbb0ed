/** The Dockerfile and the compose file of examples/deploy, read and laid out: no engine runs here, so no image is built. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { useCommand } from '../support/command.ts';
import { dockerCommands, flagValues, mountInto, parseMount } from './containers.ts';
import type { Mount } from './containers.ts';
import { CERTIFICATE, CERTIFICATE_KEY, EXAMPLES, program, temporaryFolder } from './stack.ts';

interface Service {
  readonly build?: string;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks: readonly string[];
  readonly stop_grace_period?: string;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
}
interface GatewayFile {
  readonly listen: string;
  readonly admin: { readonly listen: string };
  readonly routes: readonly { readonly upstreams: readonly string[] }[];
  readonly drain: { readonly delay?: number; readonly deadline: number };
}

const startCommand = useCommand();
const read = (file: string): string => readFileSync(path.join(EXAMPLES, file), 'utf8');
const dockerfile = read('Dockerfile');
const instruction = (name: string): string[] =>
  [...dockerfile.replaceAll(/^#.*\n/gm, '').matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(
    ([, rest]) => rest as string,
  );
const config = parse(read('container/gateway.yaml')) as GatewayFile;
const portOf = (address: string): string => address.split(':').at(-1) ?? '';

/** A copy of examples/deploy with the keys in place that container/README.md asks for. */
async function withKeys(): Promise<string> {
  const folder = temporaryFolder();
  cpSync(EXAMPLES, folder, { recursive: true });
  copyFileSync(CERTIFICATE, path.join(folder, 'container/cert.pem'));
  copyFileSync(CERTIFICATE_KEY, path.join(folder, 'container/key.pem'));
  const keygen = await startCommand(['keygen', '--out', path.join(folder, 'container/identity.pem')]).ended;
  expect(keygen.code).toBe(0);
  return folder;
}

/** The gateway's own check of the configuration, with the container's paths in this folder. */
async function checkConfig(root: string, args: readonly string[]): Promise<void> {
  const file = path.join(root, args[1] as string);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('/etc/pq-websocket', path.join(root, 'etc/pq-websocket')));
  expect(await startCommand(['gateway', args[0] as string, file, '--check-config']).ended).toMatchObject({
    code: 0,
    stderr: '',
  });
}

describe('docker run', () => {
  const runs = dockerCommands(dockerfile, 'run');
  const mountsOf = (args: readonly string[], folder: string): Mount[] =>
    flagValues(args, '-v', '--volume').map((each) => parseMount(each, folder));

  test('as the Dockerfile has it: it can be mounted, and the gateway finds what its configuration names', async () => {
    expect(runs).toHaveLength(1);
    const folder = await withKeys();
    const root = temporaryFolder();
    const mounts = mountsOf(runs[0] as string[], folder);
    expect(mounts).toMatchObject([{ readOnly: true }]);
    mountInto(root, mounts);
    expect(JSON.parse(instruction('ENTRYPOINT')[0] as string)).toEqual(['pq-websocket', 'gateway']);
    await checkConfig(root, JSON.parse(instruction('CMD')[0] as string) as string[]);
  });

  test('a mount inside a read-only one is found, unless its place is there already', () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'keys'));
    writeFileSync(path.join(folder, 'gateway.yaml'), '');
    const old = ['./gateway.yaml:/etc/pq-websocket/gateway.yaml:ro', './keys:/etc/pq-websocket:ro'].map((each) =>
      parseMount(each, folder),
    );
    expect(() => {
      mountInto(temporaryFolder(), old);
    }).toThrow('/etc/pq-websocket/gateway.yaml cannot be made in /etc/pq-websocket, which is mounted read-only');
    writeFileSync(path.join(folder, 'keys/gateway.yaml'), '');
    expect(() => {
      mountInto(temporaryFolder(), old);
    }).not.toThrow();
  });

  test('it publishes the port that the gateway listens on, and stops it later than it drains', () => {
    const [run = []] = runs;
    expect(flagValues(run, '-p', '--publish')).toEqual([`${portOf(config.listen)}:${portOf(config.listen)}`]);
    const [[seconds] = []] = dockerCommands(dockerfile, 'stop').map((args) => flagValues(args, '--time'));
    expect(Number(seconds) * 1000).toBeGreaterThan((config.drain.delay ?? 0) + config.drain.deadline + 10_000);
  });
});

test('the Dockerfile exposes both ports, asks the admin port whether it lives, and runs as nobody special', () => {
  expect(instruction('EXPOSE')).toEqual([`${portOf(config.listen)} ${portOf(config.admin.listen)}`]);
  expect(instruction('HEALTHCHECK')[0]).toContain(`http://127.0.0.1:${portOf(config.admin.listen)}/healthz`);
  expect(instruction('USER')).toEqual(['node']);
  expect(instruction('RUN')[0]).toMatch(/^npm install --global --omit=dev pq-websocket-cli@/);
  const manifest = JSON.parse(readFileSync(path.join(EXAMPLES, '../../packages/cli/package.json'), 'utf8')) as {
    name: string;
    bin: object;
  };
  expect(manifest).toMatchObject({ name: 'pq-websocket-cli', bin: { 'pq-websocket': expect.any(String) as string } });
});

describe('compose.yaml', () => {
  const { services } = parse(read('compose.yaml')) as Compose;

  test('a compose takes it', () => {
    const args = ['--file', path.join(EXAMPLES, 'compose.yaml'), '--profile', 'monitoring', 'config', '--quiet'];
    execFileSync(program('docker-compose'), args, { stdio: ['ignore', 'inherit', 'inherit'] });
  });

  test('every service can be mounted', async () => {
    expect(Object.keys(services).sort()).toEqual(['app', 'gateway', 'grafana', 'prometheus', 'redis']);
    const copy = await withKeys();
    for (const [name, { volumes = [] }] of Object.entries(services)) {
      const root = temporaryFolder();
      mountInto(
        root,
        volumes.map((each) => parseMount(each, copy)),
      );
      if (name === 'gateway') await checkConfig(root, ['--config', '/etc/pq-websocket/gateway.yaml']);
    }
  });

  test('what the gateway and Prometheus call is a service that they can reach', () => {
    const { gateway, prometheus } = services;
    const [upstream = ''] = config.routes[0]?.upstreams ?? [];
    const [
      {
        static_configs: [
          {
            targets: [target = ''],
          },
        ],
      },
    ] = (parse(read('prometheus/prometheus.yml')) as { scrape_configs: [{ static_configs: [{ targets: string[] }] }] })
      .scrape_configs;
    for (const [from, host] of [
      [gateway, new URL(upstream).hostname],
      [prometheus, target.split(':')[0] as string],
    ] as const) {
      const common = from?.networks.filter((network) => services[host]?.networks.includes(network));
      expect(common, host).not.toEqual([]);
    }
    expect(portOf(target)).toBe(portOf(config.admin.listen));
  });

  test('only the gateway is open to others, and it gets the time that it drains for', () => {
    const open = Object.entries(services).flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(open.filter((port) => !port.includes('127.0.0.1:'))).toEqual([
      `gateway ${portOf(config.listen)}:${portOf(config.listen)}`,
    ]);
    const { delay = 0, deadline } = config.drain;
    expect(Number(/^(\d+)s$/.exec(services['gateway']?.stop_grace_period ?? '')?.[1]) * 1000).toBeGreaterThan(
      delay + deadline + 10_000,
    );
  });

  test('each image that is built has a Dockerfile, whose files are there', () => {
    const built = Object.values(services).flatMap(({ build }) =>
      build === undefined ? [] : [path.join(EXAMPLES, build)],
    );
    expect(built).toHaveLength(2);
    for (const context of built) {
      const copies = [...readFileSync(path.join(context, 'Dockerfile'), 'utf8').matchAll(/^COPY (.*) \S+$/gm)].flatMap(
        ([, files]) => (files as string).split(' '),
      );
      for (const file of copies) expect(() => readFileSync(path.join(context, file))).not.toThrow();
    }
  });
});
