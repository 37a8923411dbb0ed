/** What this implementation can do, at either end. */
export interface Features {
  readonly server: readonly string[];
  readonly client: readonly string[];
}

const BOTH = [
  'v1',
  'identity',
  'fingerprint',
  'fast-open',
  'kem',
  'exchange',
  'client-identity',
  'heartbeat',
  'yellowpages',
  'original',
];

export const FEATURES: Features = { server: BOTH, client: BOTH };
