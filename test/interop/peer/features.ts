/** What this implementation can do, at either end. */
export interface Features {
  readonly server: readonly string[];
  readonly client: readonly string[];
}

export const FEATURES: Features = {
  server: ['v1', 'identity', 'fingerprint', 'fast-open', 'yellowpages', 'original'],
  client: ['v1', 'identity', 'fingerprint', 'fast-open', 'yellowpages', 'original'],
};
