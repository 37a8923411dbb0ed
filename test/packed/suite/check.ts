/** What every case of the suite may use: plain assertions, and a limit for what hangs. */
export interface CaseResult {
  readonly group: string;
  readonly name: string;
  readonly error?: string;
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: expected ${wanted}, got ${String(got).slice(0, 200)}`);
}

export async function within<T>(limit: number, act: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`not done within ${limit} ms`));
    }, limit);
  });
  try {
    return await Promise.race([act, late]);
  } finally {
    clearTimeout(timer);
  }
}
