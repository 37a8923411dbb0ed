/** What the workloads need of a WebSocket. Every build gives it, so that clients and servers are the same code for all. */
import type { Server as HttpServer } from 'node:http';

export interface BenchSocket {
  readonly bufferedAmount: number;
  on(event: 'open', listener: () => void): unknown;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: (code: number) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeAllListeners(event: 'message'): unknown;
  send(data: string | Uint8Array, options?: { binary: boolean }): void;
  close(): void;
  terminate(): void;
}

export interface BenchServer {
  on(event: 'connection', listener: (socket: BenchSocket, request: { readonly url?: string }) => void): unknown;
}

export interface ConnectOptions {
  /** The server's certificate, PEM, where the build runs inside TLS. */
  readonly ca?: string;
  /** Whether a build that can starts its handshake with the upgrade request. */
  readonly fastOpen: boolean;
}

export interface Build {
  /** Whether the WebSockets run inside TLS. */
  readonly tls: boolean;
  connect(url: string, options: ConnectOptions): BenchSocket;
  attach(server: HttpServer): BenchServer;
}
