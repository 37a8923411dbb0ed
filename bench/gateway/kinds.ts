/** The proxies that `npm run bench:gateway` compares. */

/** By name: what `socket.pq.backend` says there, and the environment that makes it so. */
export const KINDS = {
  'plain ws': {},
  gateway: { backend: 'node', demand: 'off' },
  'gateway, native': { backend: 'native', demand: 'require' },
} as const satisfies Readonly<Record<string, { readonly backend?: string; readonly demand?: string }>>;
export type Kind = keyof typeof KINDS;

/** What a client is asked for. */
export interface Round {
  readonly messages: number;
  /** Of them, those under way at once. */
  readonly window: number;
}
