/** What stands between the two ends of a scenario, and does to a connection what networks and intermediaries do. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { RawData } from 'ws';
import { WebSocket, WebSocketServer } from 'ws';

/** A relay of bytes, for one connection. */
export interface Relay {
  readonly port: number;
  /** Ends the connection of both ends, by a reset or by an orderly end of TCP without a close frame. */
  cut(how: 'RST' | 'FIN'): void;
  /** Keeps what the client sends from now on. */
  hold(): void;
  /** Passes on what was kept, in one write. */
  release(): void;
  /** Passes on what was kept byte by byte, each by itself. */
  trickle(): Promise<void>;
  stop(): void;
}

export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let held: Buffer[] | undefined;
  let server: Socket | undefined;
  const take = (): Buffer => {
    const all = Buffer.concat(held ?? []);
    held = undefined;
    return all;
  };
  const listener = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    server = far;
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    near.on('data', (chunk: Buffer) => {
      if (held === undefined) far.write(chunk);
      else held.push(chunk);
    });
    far.on('data', (chunk: Buffer) => near.write(chunk));
    near.on('end', () => far.end());
    far.on('end', () => near.end());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    cut(how) {
      for (const socket of sockets) {
        if (how === 'RST') socket.resetAndDestroy();
        else socket.end();
      }
    },
    hold() {
      held ??= [];
    },
    release() {
      server?.write(take());
    },
    async trickle() {
      for (const byte of take()) {
        if (server?.writable !== true) return;
        server.write(Uint8Array.of(byte));
        // A turn of the loop for the write, and one for the other end's read.
        for (let turn = 0; turn < 2; turn += 1) await new Promise(setImmediate);
      }
    },
    stop() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** An intermediary of messages, as RFC 6455 5.4 allows it: it may fragment what it passes on. */
export interface Fragmenter {
  readonly url: string;
  /** Fragments of each message of the client from now on. */
  parts: number;
  stop(): void;
}

export async function startFragmenter(url: string): Promise<Fragmenter> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  const sockets = new Set<WebSocket>();
  const fragmenter = {
    url: '',
    parts: 1,
    stop(): void {
      for (const socket of sockets) socket.terminate();
      server.close();
    },
  };
  server.on('connection', (near) => {
    const far = new WebSocket(url, { perMessageDeflate: false });
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined));
    const opened = once(far, 'open');
    near.on('message', (data: RawData, binary) => {
      void opened.then(() => {
        passOn(far, data as Buffer, binary, fragmenter.parts);
      });
    });
    far.on('message', (data, binary) => {
      near.send(data, { binary });
    });
    near.on('close', (code, reason) => {
      end(far, code, reason);
    });
    far.on('close', (code, reason) => {
      end(near, code, reason);
    });
  });
  await once(server, 'listening');
  fragmenter.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return fragmenter;
}

function passOn(to: WebSocket, data: Buffer, binary: boolean, parts: number): void {
  const size = Math.ceil(data.length / parts);
  for (let part = 0; part < parts; part += 1) {
    to.send(data.subarray(part * size, (part + 1) * size), { binary, fin: part === parts - 1 });
  }
}

function end(socket: WebSocket, code: number, reason: Buffer): void {
  if (code === 1006) socket.terminate();
  else if (code === 1005) socket.close();
  else socket.close(code, reason);
}
