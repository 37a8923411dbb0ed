import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export type Content = string | Uint8Array;

export interface StaticServer {
  readonly port: number;
  close(): Promise<void>;
}

async function find(
  name: string,
  files: ReadonlyMap<string, Content>,
  folder: string | undefined,
): Promise<Content | undefined> {
  const given = files.get(name);
  if (given !== undefined || folder === undefined) return given;
  const base = path.resolve(ROOT, folder);
  const file = path.resolve(base, name);
  if (!file.startsWith(base + path.sep)) return undefined;
  return readFile(file).catch(() => undefined);
}

/**
 * Serves `files` by name, and otherwise the folder's, on a free port of 127.0.0.1; `/` is `index.html`.
 * @param tls certificate and key of a server of https
 */
export async function serve(
  files: Readonly<Record<string, Content>>,
  folder?: string,
  headers: Readonly<Record<string, string>> = {},
  tls?: { readonly cert: Buffer; readonly key: Buffer },
): Promise<StaticServer> {
  const named = new Map(Object.entries(files));
  const answer: RequestListener = (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const name = pathname === '/' ? 'index.html' : decodeURIComponent(pathname.slice(1));
    void find(name, named, folder).then((content) => {
      const type = TYPES[path.extname(name)] ?? 'application/octet-stream';
      response.writeHead(content === undefined ? 404 : 200, {
        'cache-control': 'no-store',
        ...headers,
        'content-type': type,
      });
      response.end(content);
    });
  };
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
