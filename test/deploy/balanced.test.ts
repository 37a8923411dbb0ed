/** Two gateways behind nginx and behind HAProxy, two chat servers behind them, as examples/deploy has it. */
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { ensureTools } from '../../scripts/lib/locked-tools.ts';
import { PQWebSocket } from '../../src/index.ts';
import { metric } from '../gateway/support.ts';
import { useCommand } from '../support/command.ts';
import type { RunningCommand } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { assertSealed, startTap } from '../support/tap.ts';
import type { Tap } from '../support/tap.ts';
import type { ChatClient, ChatMessage } from './chat.ts';
import { openChat } from './chat.ts';
import type { Balancer, GatewayPlace } from './stack.ts';
import {
  BALANCERS,
  CERTIFICATE,
  CERTIFICATE_KEY,
  EXAMPLES,
  startBalancer,
  startChatServer,
  startRedis,
} from './stack.ts';

const startCommand = useCommand();

beforeAll(async () => {
  console.log(await ensureTools('deploy'));
});

interface Stack {
  readonly url: string;
  readonly gateways: readonly [GatewayPlace, GatewayPlace];
  readonly running: [RunningCommand, RunningCommand];
  /** Starts a gateway again, on its old ports. */
  restart(index: 0 | 1): Promise<void>;
}

/** A number of a gateway's own account; 0 while it is not there. */
async function count({ adminPort }: GatewayPlace, series: string): Promise<number> {
  const text = await fetch(`http://127.0.0.1:${adminPort}/metrics`).then(
    (response) => response.text(),
    () => '',
  );
  return metric(text, series);
}

const HANDSHAKES = 'pqws_gateway_handshakes_total{result="ok"}';

/** @param between a port to put between the balancer and a gateway's port */
async function startStack(
  balancer: Balancer,
  between: (port: number) => Promise<number> = (port) => Promise.resolve(port),
): Promise<Stack> {
  const redis = await startRedis();
  const backends = [await startChatServer(redis), await startChatServer(redis)];
  const upstreams = backends.flatMap((port) => ['--upstream', `ws://127.0.0.1:${port}`]);
  const place = async (): Promise<GatewayPlace> => ({ port: await freePort(), adminPort: await freePort() });
  const gateways = [await place(), await place()] as const;
  const start = async ({ port, adminPort }: GatewayPlace): Promise<RunningCommand> => {
    const command = startCommand([
      'gateway',
      ...['--config', path.join(EXAMPLES, `behind-${balancer}.yaml`)],
      ...[
        '--listen',
        `127.0.0.1:${port}`,
        '--admin',
        `127.0.0.1:${adminPort}`,
        '--drain-deadline',
        '1000',
        ...upstreams,
      ],
      // Everything here comes from one address.
      ...['--handshake-rate', '100000', '--handshake-burst', '100000'],
      ...(balancer === 'haproxy' ? ['--tls-cert', CERTIFICATE, '--tls-key', CERTIFICATE_KEY] : []),
    ]);
    await command.line('metrics and health');
    return command;
  };
  const running: [RunningCommand, RunningCommand] = [await start(gateways[0]), await start(gateways[1])];
  const seen = [
    { ...gateways[0], port: await between(gateways[0].port) },
    { ...gateways[1], port: await between(gateways[1].port) },
  ] as const;
  return {
    url: await startBalancer(balancer, seen),
    gateways,
    running,
    restart: async (index) => {
      running[index] = await start(gateways[index]);
    },
  };
}

function texts(chat: ChatClient): string[] {
  return chat.log.map(({ text }: ChatMessage) => text);
}

/** Everybody has read just these, in one order. */
async function expectSameLog(chats: readonly ChatClient[], said: readonly string[]): Promise<void> {
  await vi.waitUntil(() => chats.every(({ log }) => log.length >= said.length), { timeout: 20_000 });
  const [first, ...others] = chats.map(texts);
  expect([...(first ?? [])].sort()).toEqual([...said].sort());
  for (const other of others) expect(other).toEqual(first);
}

describe.each(BALANCERS)('%s in front', (balancer) => {
  test('both gateways and both chat servers serve; all read the same; the gateways know who connects', async () => {
    const { url, gateways, running } = await startStack(balancer);
    const chats = Array.from({ length: 8 }, (_, i) => openChat(url, { localAddress: `127.0.0.${i + 10}` }));
    const said = chats.map((_, i) => `from ${i}`);
    await Promise.all(chats.map((chat, i) => chat.say(said[i] as string)));
    await expectSameLog(chats, said);
    for (const gateway of gateways) {
      expect(await count(gateway, HANDSHAKES)).toBe(4);
      const text = await (await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)).text();
      expect(text.match(/^pqws_gateway_backend_connections\{.*\} 2$/gm)).toHaveLength(2);
    }
    for (const chat of chats) chat.close();
    const clients: unknown[] = [];
    for (const command of running) for (let i = 0; i < 4; i++) clients.push((await command.line('closed'))['client']);
    expect(clients.sort()).toEqual(chats.map((_, i) => `127.0.0.${i + 10}`));
  });

  test('a gateway that is killed: clients come back, and nothing acknowledged is lost or there twice', async () => {
    const { url, gateways, running, restart } = await startStack(balancer);
    const chats = Array.from({ length: 4 }, () => openChat(url));
    const said: string[] = [];
    let acknowledged = 0;
    const killing = vi
      .waitUntil(() => acknowledged >= 20, { timeout: 30_000, interval: 1 })
      .then(async () => {
        const busy = await Promise.all(gateways.map((gateway) => count(gateway, 'pqws_gateway_connections')));
        const victim = (busy[0] as number) > 0 ? 0 : 1;
        running[victim].child.kill('SIGKILL');
        await running[victim].ended;
        await restart(victim);
      });
    const talking = chats.map(async (chat, who) => {
      for (let i = 0; i < 50; i++) {
        const text = `${who}: ${i}`;
        said.push(text);
        await chat.say(text);
        acknowledged += 1;
      }
    });
    await Promise.all([killing, ...talking]);
    expect(acknowledged).toBe(200);
    await expectSameLog(chats, said);
    // Somebody was on the gateway that died.
    expect(Math.max(...chats.map(({ connections }) => connections))).toBeGreaterThan(1);
  });

  test('one that has come back is enough when the other goes, while all that it has taken since still talk', async () => {
    const { url, gateways, running, restart } = await startStack(balancer);
    const connect = async (): Promise<PQWebSocket> => {
      const socket = new PQWebSocket(`${url}/`, [], { rejectUnauthorized: false });
      onTestFinished(() => {
        socket.close();
      });
      await new Promise<void>((resolve, reject) => {
        socket.onopen = (): void => {
          resolve();
        };
        socket.onclose = ({ code }): void => {
          reject(new Error(`closed with ${code}`));
        };
      });
      return socket;
    };
    running[0].child.kill('SIGKILL');
    await running[0].ended;
    await connect();
    await restart(0);
    while ((await count(gateways[0], HANDSHAKES)) === 0) await connect();
    running[1].child.kill('SIGKILL');
    await running[1].ended;
    const { readyState } = await connect();
    expect(readyState).toBe(PQWebSocket.OPEN);
  });

  test('a rolling restart under load: no handshake fails', async () => {
    const { url, gateways, running, restart } = await startStack(balancer);
    const resident = openChat(url);
    await resident.say('before');
    let done = 0;
    const failures: string[] = [];
    const finished = new AbortController();
    const visit = async (): Promise<void> => {
      const socket = new PQWebSocket(`${url}/`, [], { rejectUnauthorized: false });
      await new Promise<void>((resolve) => {
        socket.onopen = (): void => {
          done += 1;
          socket.close(1000);
        };
        socket.onclose = (event): void => {
          if (event.code !== 1000 || !event.wasClean) failures.push(`${event.code} ${socket.pq.failure?.code ?? ''}`);
          resolve();
        };
      });
    };
    const visitors = Array.from({ length: 3 }, async () => {
      while (!finished.signal.aborted) await visit();
    });
    for (const index of [0, 1] as const) {
      running[index].child.kill('SIGTERM');
      expect((await running[index].ended).code).toBe(0);
      await restart(index);
      // The balancer has noticed that it is back.
      await vi.waitUntil(async () => (await count(gateways[index], HANDSHAKES)) > 0, { timeout: 20_000 });
    }
    finished.abort();
    await Promise.all(visitors);
    expect(failures).toEqual([]);
    expect(done).toBeGreaterThan(20);
    // Who stayed through it all was told to leave, came back and is none the worse.
    await resident.say('after');
    await expectSameLog([resident], ['before', 'after']);
    expect(resident.connections).toBeGreaterThan(1);
  });
});

test('nginx ends TLS, and reads nothing of what is said', async () => {
  const taps: Tap[] = [];
  const { url } = await startStack('nginx', async (port) => {
    const tap = await startTap(port);
    taps.push(tap);
    onTestFinished(() => tap.close());
    return tap.port;
  });
  const chat = openChat(url);
  await chat.say('the marked words');
  const connections = taps.flatMap((tap) => tap.connections.filter(({ upgraded }) => upgraded));
  expect(connections).toHaveLength(1);
  assertSealed({ connections }, ['the marked words']);
});
