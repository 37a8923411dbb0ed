/** Whether `npm run test:soak` runs this: then tests take minutes for what else they do in a second. */
export const soaks = (process.env['PQ_SOAK'] ?? '') !== '';

/** How often a test does something: `npm run test:soak` as often as it takes to believe it, `npm test` as often as it takes to see that it works. */
export function times(inSoak: number, inShort: number): number {
  return soaks ? inSoak : inShort;
}

/** Steps through bits. Coprime to eight, so that a 31st of them still meets each place within a byte. */
export const BIT_STEP = times(1, 31);
