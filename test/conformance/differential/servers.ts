/**
 * The two servers behind the cases: a plain one for the platform's class and a secure one for ours, which do the same things.
 * What a connection does is said by its URL, by its messages, and by commands that name its id.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer as PlainServer } from 'ws';
import { WebSocketServer as SecureServer } from '../../../src/ws.ts';
import { deferred } from '../../support/deferred.ts';
import type { Deferred } from '../../support/deferred.ts';

/** What both classes of accepted sockets have, and the cases use. */
interface Accepted {
  send(data: string | Uint8Array, options?: { binary: boolean }): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  on(event: string, listener: (...values: never[]) => void): unknown;
}

interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A step of what a connection does: its name, then its values. */
type Step = readonly [string, ...unknown[]];

/** What is known of a connection, under the id of its URL. */
class Connection {
  readonly upgrade = deferred<{ request: IncomingMessage; proceed: () => void; network: Duplex }>();
  readonly accepted = deferred<Accepted>();
  readonly closed = deferred<Close>();
  readonly received: string[] = [];
  #waiting: { count: number; done: Deferred<void> }[] = [];

  heard(data: Buffer, isBinary: boolean): void {
    this.received.push(
      isBinary ? `bytes ${data.length > 100 ? data.length : data.toString('hex')}` : summary(data.toString()),
    );
    this.#waiting = this.#waiting.filter(({ count, done }) => {
      if (this.received.length < count) return true;
      done.resolve();
      return false;
    });
  }

  async hears(count: number): Promise<string[]> {
    if (this.received.length < count) {
      const done = deferred();
      this.#waiting.push({ count, done });
      await done.promise;
    }
    return this.received;
  }
}

function summary(text: string): string {
  return text.length > 100 ? `${text.slice(0, 20)}… ${text.length} units` : text;
}

/** Messages of so many bytes, the same for every run. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
}

const STEPS: Readonly<Record<string, (socket: Accepted, network: Duplex, ...values: never[]) => void>> = {
  send: (socket, _, text: string) => {
    socket.send(text);
  },
  bytes: (socket, _, length: number) => {
    socket.send(pattern(length), { binary: true });
  },
  text: (socket, _, length: number) => {
    socket.send('ü'.repeat(length));
  },
  close: (socket, _, code?: number, reason?: string) => {
    socket.close(code ?? undefined, reason);
  },
  terminate: (socket) => {
    socket.terminate();
  },
  /** Bytes under the WebSocket layer, as hexadecimal digits. */
  raw: (_, network, hex: string) => {
    network.write(Buffer.from(hex, 'hex'));
  },
  /** The transport's own FIN, without a close frame. */
  end: (_, network) => {
    network.end();
  },
  pause: (_, network) => {
    network.pause();
  },
  resume: (_, network) => {
    network.resume();
  },
};

function perform(socket: Accepted, network: Duplex, [name, ...values]: Step): void {
  const step = STEPS[name];
  if (step === undefined) throw new Error(`no such step: ${name}`);
  step(socket, network, ...(values as never[]));
}

/** Without this file's import of the package Node runs the rest as it stands: this one is bundled first. */
export class CaseServer {
  readonly #connections = new Map<string, Connection>();
  readonly #server: Server = createServer((_, response) => {
    response.writeHead(426).end();
  });
  readonly #networks = new Set<Duplex>();

  private constructor(secure: boolean) {
    const handleProtocols = (offered: Set<string>, request: IncomingMessage): string | false => {
      const select = parameters(request).get('select');
      if (select === null) return offered.values().next().value ?? false;
      return select === '' ? false : select;
    };
    const upgrader = secure
      ? new SecureServer({ noServer: true, handleProtocols })
      : new PlainServer({ noServer: true, handleProtocols });
    // `?set-cookie=` has a cookie for the answer.
    upgrader.on('headers', (headers: string[], request: IncomingMessage) => {
      const cookie = parameters(request).get('set-cookie');
      if (cookie !== null) headers.push(`Set-Cookie: ${cookie}`);
    });
    this.#server.on('upgrade', (request, network, head) => {
      this.#networks.add(network);
      network.on('error', () => undefined);
      network.on('close', () => this.#networks.delete(network));
      this.#upgrade(request, network, () => {
        (upgrader as PlainServer).handleUpgrade(request, network, head, (socket) => {
          this.#serve(socket as unknown as Accepted, request, network);
        });
      });
    });
  }

  static async start(secure: boolean): Promise<CaseServer> {
    const server = new CaseServer(secure);
    await new Promise<void>((resolve) => {
      server.#server.listen(0, '127.0.0.1', resolve);
    });
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const network of this.#networks) network.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  /** What `Scene.server()` asks. */
  async command(id: string, command: string, values: readonly unknown[]): Promise<unknown> {
    const connection = this.#connection(id);
    switch (command) {
      case 'request': {
        const { url, headers } = (await connection.upgrade.promise).request;
        return {
          url: url?.replace(/[?&]id=[^&]*/, ''),
          headers: Object.fromEntries((values as string[]).map((name) => [name, headers[name] ?? null])),
        };
      }
      case 'proceed':
        (await connection.upgrade.promise).proceed();
        return null;
      case 'refuse':
        (await connection.upgrade.promise).network.end(
          `HTTP/1.1 ${String(values[0])} Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
        );
        return null;
      case 'cut':
        (await connection.upgrade.promise).network.destroy();
        return null;
      case 'accepted':
        await connection.accepted.promise;
        return null;
      case 'closed':
        return connection.closed.promise;
      case 'hears':
        return connection.hears(values[0] as number);
      default:
        perform(await connection.accepted.promise, (await connection.upgrade.promise).network, [command, ...values]);
        return null;
    }
  }

  #connection(id: string): Connection {
    let found = this.#connections.get(id);
    if (found === undefined) {
      found = new Connection();
      this.#connections.set(id, found);
    }
    return found;
  }

  /** `?upgrade=`: `hold` until told, `cut`, or a status to refuse with. */
  #upgrade(request: IncomingMessage, network: Duplex, proceed: () => void): void {
    const connection = this.#connection(parameters(request).get('id') ?? '');
    connection.upgrade.resolve({ request, network, proceed });
    const how = parameters(request).get('upgrade');
    if (how === null) proceed();
    else if (how === 'cut') network.destroy();
    else if (how === 'bad-accept')
      network.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n',
      );
    else if (how !== 'hold')
      network.end(`HTTP/1.1 ${how} Refused\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  }

  /** `/echo` echoes; `?open=` has steps to perform at once; a message that begins with `!` is such steps. */
  #serve(socket: Accepted, request: IncomingMessage, network: Duplex): void {
    const connection = this.#connection(parameters(request).get('id') ?? '');
    const echoes = request.url?.startsWith('/echo') === true;
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      const text = isBinary ? '' : data.toString();
      if (text.startsWith('!')) {
        for (const step of JSON.parse(text.slice(1)) as Step[]) perform(socket, network, step);
        return;
      }
      connection.heard(data, isBinary);
      if (echoes) socket.send(data, { binary: isBinary });
    });
    socket.on('close', (code: number, reason: Buffer) => {
      connection.closed.resolve({ code, reason: reason.toString() });
    });
    connection.accepted.resolve(socket);
    const steps = parameters(request).get('open');
    for (const step of steps === null ? [] : (JSON.parse(steps) as Step[])) perform(socket, network, step);
  }
}

function parameters(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? '/', 'http://localhost').searchParams;
}
