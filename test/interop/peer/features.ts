/** What this implementation says that it can do: options that it does not refuse. */
import { checkClientOptions } from '../../../src/socket/client-options.ts';
import { FAST_OPEN } from './options.ts';

export interface Features {
  readonly server: readonly string[];
  readonly client: readonly string[];
}

function takes(options: object): boolean {
  try {
    checkClientOptions('features', options, 'ws://127.0.0.1/');
    return true;
  } catch {
    return false;
  }
}

export function features(): Features {
  const both = ['v1', 'identity'];
  if (takes(FAST_OPEN)) both.push('fast-open');
  return { server: both, client: [...both, 'fingerprint'] };
}
