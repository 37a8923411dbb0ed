/** Which cases run a second time. */
import { expect, test } from 'vitest';
import { recordOf } from './in-engine.ts';
import { BROKEN } from './record.ts';
import type { SocketClass } from './scene.ts';
import { Scene } from './scene.ts';

const UNENDED = [BROKEN.unended, 'now'];
const THREW = [BROKEN.threw, expect.anything()];
const ENDED = ['ended', 'now'];

/** What a case says of itself in each run, where it ends. @returns the record, how often it ran, and what else was said */
async function ran(variant: string, runs: readonly ('ends' | 'hangs' | 'throws')[]): Promise<unknown> {
  let count = 0;
  const said: string[] = [];
  const run = (scene: Scene): Promise<void> => {
    const how = runs[count];
    count += 1;
    if (how === 'hangs') return new Promise(() => undefined);
    if (how !== 'ends') throw new Error('as it was told');
    scene.note('ended');
    return Promise.resolve();
  };
  const setting = { server: 'ws://server', harness: 'http://harness', variant, run: '1' };
  const scenes = new Set<Scene>();
  const entries = await recordOf({ name: 'a case', limit: 1, run }, variant, {
    scene: () => {
      const scene = new Scene(
        class {} as unknown as SocketClass,
        { kind: 'node', onUncaught: () => () => undefined },
        setting,
      );
      scenes.add(scene);
      return scene;
    },
    again: () => {
      said.push(`again after ${count}`);
      return Promise.resolve();
    },
  });
  expect(scenes.size).toBe(count);
  return { entries, count, said };
}

test.each([
  ['native', ['ends'], { entries: [ENDED], count: 1, said: [] }],
  ['native', ['hangs', 'ends'], { entries: [ENDED], count: 2, said: ['again after 1'] }],
  ['native', ['hangs', 'hangs', 'ends'], { entries: [UNENDED], count: 2, said: ['again after 1'] }],
  // What is wrong at once is no matter of time.
  ['native', ['throws', 'ends'], { entries: [THREW], count: 1, said: [] }],
  ['class', ['hangs', 'ends'], { entries: [UNENDED], count: 1, said: [] }],
  ['polyfill', ['hangs', 'ends'], { entries: [UNENDED], count: 1, said: [] }],
] as const)('%s: %j', async (variant, runs, expected) => {
  expect(await ran(variant, runs)).toEqual(expected);
});
