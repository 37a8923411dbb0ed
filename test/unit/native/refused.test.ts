/** What a page says of an option that is for Node. */
import { expect, it, vi } from 'vitest';
import { plainChannel } from '../../../src/options/channel.ts';

vi.mock('#on-node', () => ({ ON_NODE: false }));
vi.mock('#platform', async () => import('../../../src/platform/web.ts'));

it('is refused in browsers when it is demanded', () => {
  expect(() => plainChannel({ native: true }, 1)).toThrow(/runs on Node only/);
  expect(plainChannel({ native: false }, 1).backend.name).toBe('webcrypto');
});
