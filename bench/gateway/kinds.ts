/** The proxies that `npm run bench:gateway` compares. */

export interface Proxy {
  /** What `socket.pq.backend` says there; absent where nothing is sealed. */
  readonly backend?: 'node' | 'native';
  /** Whether `ws` has the native masking that it takes where it is installed, which `npm i ws` does not bring. */
  readonly hasBufferutil: boolean;
}

export const KINDS = {
  'plain ws': { hasBufferutil: false },
  gateway: { backend: 'node', hasBufferutil: false },
  'gateway, native': { backend: 'native', hasBufferutil: false },
  'plain ws, bufferutil': { hasBufferutil: true },
  'gateway, native and bufferutil': { backend: 'native', hasBufferutil: true },
} as const satisfies Readonly<Record<string, Proxy>>;
export type Kind = keyof typeof KINDS;

/** What a client is asked for. */
export interface Round {
  readonly messages: number;
  /** Of them, those under way at once. */
  readonly window: number;
}
