/** Runs `run` for each item, `atOnce` of them at a time. @returns the results in the order of the items */
export async function inTurns<T, R>(
  items: readonly T[],
  atOnce: number,
  run: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of waiting) results[index] = await run(item, index);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
