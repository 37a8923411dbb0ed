/** The holes that are meant to be there, each with its reason. Whatever else is missing is a failure. */
interface Wanted {
  readonly family: string;
  /** Features that neither end of it has. */
  readonly features: readonly string[];
  readonly reason: string;
}

const EXTENSIONS = ['kem', 'exchange', 'client-identity', 'heartbeat'];

const WANTED: readonly Wanted[] = [
  { family: 'Go', features: ['yellowpages', 'original'], reason: 'the Go peer speaks v1 alone (its README)' },
  {
    family: 'Original',
    features: ['v1', 'identity', 'fast-open', 'yellowpages', ...EXTENSIONS],
    reason:
      'a client and a server of the original system as its page and its server would have been written: one request, no v1',
  },
];

/** Why this implementation is without the feature, or undefined where it should have it. */
export function wantedReason(family: string, feature: string): string | undefined {
  return WANTED.find((wanted) => wanted.family === family && wanted.features.includes(feature))?.reason;
}
