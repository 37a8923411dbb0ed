/** Gateways for tests: started on free ports, ended with the test, with what they logged. */
import { onTestFinished } from 'vitest';
import { startGateway } from '../../packages/cli/src/gateway.ts';
import type { GatewayHooks, GatewayLog, GatewayOptions, RunningGateway } from '../../packages/cli/src/gateway.ts';
import { WebSocket } from '../../src/ws.ts';
import type { WebSocketOptions, WsStyleWebSocket } from '../../src/ws.ts';
import { once } from '../support/deferred.ts';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface TestGateway extends RunningGateway {
  readonly url: string;
  readonly port: number;
  readonly lines: readonly LogLine[];
  /** The admin port's answer. */
  admin(path: string): Promise<{ status: number; body: string }>;
}

export function memoryLog(lines: LogLine[]): GatewayLog {
  const at =
    (level: string) =>
    (facts: object, message: string): void => {
      lines.push({ level, message, facts: { ...facts } });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** @param options as the library takes them; listens on a free port, with an admin port */
export async function startTestGateway(
  options: Omit<GatewayOptions, 'routes'> & { upstreams?: string[]; routes?: GatewayOptions['routes'] },
  hooks: GatewayHooks = {},
): Promise<TestGateway> {
  const { upstreams = [], routes = [{ upstreams }], ...rest } = options;
  const lines: LogLine[] = [];
  const gateway = await startGateway(
    {
      ...(rest.listeners === undefined && { listen: '127.0.0.1:0' }),
      admin: { listen: '127.0.0.1:0' },
      routes,
      ...rest,
    },
    { log: memoryLog(lines), ...hooks },
  );
  onTestFinished(() => gateway.close());
  const scheme = rest.tls === undefined ? 'ws' : 'wss';
  // The getters stay alive.
  return Object.assign(Object.create(gateway) as RunningGateway, {
    url: `${scheme}://${gateway.address}`,
    port: Number(gateway.address.split(':').at(-1)),
    lines,
    admin: async (path: string) => {
      const response = await fetch(`http://${gateway.adminAddress}${path}`);
      return { status: response.status, body: await response.text() };
    },
  });
}

/** A secure client, open. */
export async function openClient(
  url: string,
  protocols: string[] = [],
  options: WebSocketOptions = {},
): Promise<WsStyleWebSocket> {
  const socket = new WebSocket(url, protocols, options);
  onTestFinished(() => {
    socket.terminate();
  });
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.once('open', resolve);
  });
  return socket;
}

/** The next text or binary message, as text. */
export async function nextText(socket: WsStyleWebSocket): Promise<string> {
  const [data] = await once<[Buffer]>(socket, 'message');
  return data.toString();
}

/** One number out of a Prometheus answer; 0 where the series is not there. */
export function metric(text: string, series: string): number {
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}
