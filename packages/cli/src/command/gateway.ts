/** `pq-websocket gateway`: flags and environment variables, and what each sets in the configuration. */
import type { Command } from 'commander';
import { Option } from 'commander';
import type { Override } from '../gateway/config.ts';

interface Setting {
  readonly flags: string;
  readonly env: string;
  readonly help: string;
  /** What it sets, by path. */
  readonly path: Override['path'];
  /** What the configuration gets for the text that was given. Wrong text stays text, for the schema to refuse. */
  readonly read: (text: string) => unknown;
  /** A flag that may be given several times, or a variable with commas. */
  readonly isList?: true;
}

const text = (value: string): unknown => value;
const number = (value: string): unknown => (/^\d+$/.test(value) ? Number(value) : value);
const boolean = (value: string): unknown => ({ true: true, false: false })[value] ?? value;

export const GATEWAY_SETTINGS: readonly Setting[] = [
  {
    flags: '-l, --listen <address>',
    env: 'PQ_GATEWAY_LISTEN',
    path: ['listen'],
    read: text,
    help: 'host:port, :port or unix:/path (default 127.0.0.1:8443)',
  },
  {
    flags: '-u, --upstream <address...>',
    env: 'PQ_GATEWAY_UPSTREAM',
    path: ['routes'],
    read: text,
    isList: true,
    help: 'backends for every request: ws://host:port, wss://host:port, unix:/path',
  },
  {
    flags: '--profiles <name...>',
    env: 'PQ_GATEWAY_PROFILES',
    path: ['profiles'],
    read: text,
    isList: true,
    help: 'v1, yellowpages or both (default v1)',
  },
  {
    flags: '--tls-cert <file>',
    env: 'PQ_GATEWAY_TLS_CERT',
    path: ['tls', 'cert'],
    read: text,
    help: 'certificate chain in PEM; read again on SIGHUP',
  },
  {
    flags: '--tls-key <file>',
    env: 'PQ_GATEWAY_TLS_KEY',
    path: ['tls', 'key'],
    read: text,
    help: 'its private key in PEM',
  },
  {
    flags: '--identity <file>',
    env: 'PQ_GATEWAY_IDENTITY',
    path: ['identity', 'key'],
    read: text,
    help: 'ML-DSA-65 secret key, as keygen writes it',
  },
  {
    flags: '--client-pin <fingerprint...>',
    env: 'PQ_GATEWAY_CLIENT_PIN',
    path: ['clientKeys', 'pins'],
    read: text,
    isList: true,
    help: 'clients that get in, by their key: sha256:…',
  },
  {
    flags: '--client-key <file...>',
    env: 'PQ_GATEWAY_CLIENT_KEY',
    path: ['clientKeys', 'files'],
    read: text,
    isList: true,
    help: 'the same, by public keys in PEM',
  },
  {
    flags: '--allow-origin <origin...>',
    env: 'PQ_GATEWAY_ALLOW_ORIGIN',
    path: ['allowedOrigins'],
    read: text,
    isList: true,
    help: 'origins that may connect (default any)',
  },
  {
    flags: '--plain-http <what>',
    env: 'PQ_GATEWAY_PLAIN_HTTP',
    path: ['plainHttp'],
    read: text,
    help: 'refuse with 426, or pass to the upstream (default refuse)',
  },
  {
    flags: '--trust-proxy <network...>',
    env: 'PQ_GATEWAY_TRUST_PROXY',
    path: ['trustedProxies'],
    read: text,
    isList: true,
    help: 'addresses or CIDR blocks whose X-Forwarded-* count',
  },
  {
    flags: '--proxy-protocol <true|false>',
    env: 'PQ_GATEWAY_PROXY_PROTOCOL',
    path: ['proxyProtocol'],
    read: boolean,
    help: 'every connection begins with a PROXY header',
  },
  {
    flags: '--max-connections <n>',
    env: 'PQ_GATEWAY_MAX_CONNECTIONS',
    path: ['limits', 'connections'],
    read: number,
    help: 'in all (default 10000)',
  },
  {
    flags: '--max-connections-per-address <n>',
    env: 'PQ_GATEWAY_MAX_CONNECTIONS_PER_ADDRESS',
    path: ['limits', 'connectionsPerAddress'],
    read: number,
    help: 'of one client address (default 1000)',
  },
  {
    flags: '--handshake-rate <n>',
    env: 'PQ_GATEWAY_HANDSHAKE_RATE',
    path: ['limits', 'handshakesPerSecond'],
    read: number,
    help: 'a second, of one client address (default 50)',
  },
  {
    flags: '--handshake-burst <n>',
    env: 'PQ_GATEWAY_HANDSHAKE_BURST',
    path: ['limits', 'handshakeBurst'],
    read: number,
    help: 'at once, of one client address (default 200)',
  },
  {
    flags: '--max-message <bytes>',
    env: 'PQ_GATEWAY_MAX_MESSAGE',
    path: ['limits', 'messageBytes'],
    read: number,
    help: 'of one message (default 104857600)',
  },
  {
    flags: '--idle-timeout <ms>',
    env: 'PQ_GATEWAY_IDLE_TIMEOUT',
    path: ['timeouts', 'idle'],
    read: number,
    help: 'without any traffic; 0 for never (default 3600000)',
  },
  {
    flags: '--drain-delay <ms>',
    env: 'PQ_GATEWAY_DRAIN_DELAY',
    path: ['drain', 'delay'],
    read: number,
    help: 'on SIGTERM: not ready, and still serving (default 0)',
  },
  {
    flags: '--drain-deadline <ms>',
    env: 'PQ_GATEWAY_DRAIN_DEADLINE',
    path: ['drain', 'deadline'],
    read: number,
    help: 'then: until open connections get 1001 (default 30000)',
  },
  {
    flags: '--admin <address>',
    env: 'PQ_GATEWAY_ADMIN',
    path: ['admin', 'listen'],
    read: text,
    help: '/metrics, /healthz and /readyz (default nowhere)',
  },
  {
    flags: '--workers <n>',
    env: 'PQ_GATEWAY_WORKERS',
    path: ['workers'],
    read: number,
    help: 'processes, or cores (default 1)',
  },
  {
    flags: '--traces <true|false>',
    env: 'PQ_GATEWAY_TRACES',
    path: ['traces'],
    read: boolean,
    help: 'spans to the OpenTelemetry SDK that NODE_OPTIONS loads (default false)',
  },
  {
    flags: '--log-format <format>',
    env: 'PQ_GATEWAY_LOG_FORMAT',
    path: ['log', 'format'],
    read: text,
    help: 'json or pretty (default json)',
  },
  {
    flags: '--log-level <level>',
    env: 'PQ_GATEWAY_LOG_LEVEL',
    path: ['log', 'level'],
    read: text,
    help: 'debug, info, warn, error or silent (default info)',
  },
];

const EXAMPLES = `
Examples:
  $ pq-websocket gateway --listen 0.0.0.0:8443 --upstream ws://127.0.0.1:8080
  $ pq-websocket gateway --listen :443 --tls-cert cert.pem --tls-key key.pem --identity identity.pem -u ws://a:8080 -u ws://b:8080
  $ pq-websocket gateway --config gateway.yaml --workers cores --admin 127.0.0.1:9090
  $ pq-websocket gateway --config gateway.yaml --check-config

Flags go over environment variables, and those over the file. docs/gateway.md has every key of the file.
Exit codes: 0 after a drain, 1 when it cannot listen, 2 for a wrong configuration.`;

export function addGatewayCommand(program: Command): void {
  const command = program
    .command('gateway')
    .description('put secure WebSockets in front of any WebSocket server')
    .addOption(new Option('-c, --config <file>', 'YAML or JSON').env('PQ_GATEWAY_CONFIG'))
    .addOption(new Option('--check-config', 'check the configuration and all files that it names, then exit'));
  for (const { flags, env, help, isList } of GATEWAY_SETTINGS) {
    const option = new Option(flags, help).env(env);
    if (isList) {
      option.argParser((value, before: string[] | undefined) => [
        ...(before ?? []),
        ...value.split(',').map((item) => item.trim()),
      ]);
    }
    command.addOption(option);
  }
  command
    .addHelpText('after', EXAMPLES)
    .action((given: { config?: string; checkConfig?: boolean }) => run(command, given));
}

async function run(
  command: Command,
  { config: file, checkConfig: isCheck }: { config?: string; checkConfig?: boolean },
): Promise<void> {
  // Loaded here, so that the other commands do not pay for it.
  const [{ loadConfig }, { checkConfig, runGateway }, { GatewayConfigError }] = await Promise.all([
    import('../gateway/config.ts'),
    import('../gateway/process.ts'),
    import('../gateway/config-error.ts'),
  ]);
  try {
    const read = () => loadConfig(file, overridesOf(command));
    if (!isCheck) {
      await runGateway(read);
      return;
    }
    await checkConfig(read());
    process.stdout.write('the configuration is good\n');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = error instanceof GatewayConfigError ? 2 : 1;
    // A worker's channel to its primary would keep it.
    process.disconnect?.();
  }
}

function overridesOf(command: Command): Override[] {
  const overrides: Override[] = [];
  for (const { flags, env, path, read, isList } of GATEWAY_SETTINGS) {
    const flag = /--[\w-]+/.exec(flags)?.[0] ?? flags;
    const name = new Option(flags).attributeName();
    const value: unknown = command.getOptionValue(name);
    if (value === undefined) continue;
    const source = command.getOptionValueSource(name) === 'env' ? env : flag;
    const given = isList ? (value as string[]).map(read) : read(value as string);
    // Backends on the command line replace the file's routes: there is no way to tell which route they belong to.
    overrides.push({ path, value: path[0] === 'routes' ? [{ upstreams: given }] : given, source });
  }
  return overrides;
}
