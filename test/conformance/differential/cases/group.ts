import type { Case, Cases } from '../scene.ts';

/** Cases of one subject; their names begin with it. */
export function group(subject: string, cases: Cases): Case[] {
  return Object.entries(cases).map(([name, given]) => ({
    name: `${subject}: ${name}`,
    ...(typeof given === 'function' ? { run: given } : given),
  }));
}
