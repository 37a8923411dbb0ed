/** The core as pages have it: without what only the build for Node has (`#on-node`), every session does the same. */
import { describe, vi } from 'vitest';

vi.mock('#on-node', () => ({ ON_NODE: false }));

describe.each(['session-roundtrip', 'session-key-update', 'session-close', 'session-async', 'session-exchange'])(
  '%s',
  async (name) => {
    await import(`./${name}.test.ts`);
  },
);
