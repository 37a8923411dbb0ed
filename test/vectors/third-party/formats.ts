/** Readers for the third-party vectors: Wycheproof's JSON, CCTV's `name = hex` lines, and hexadecimal. */

/** Gives a file's text by its name below the vectors' folder; a `.gz` file's text comes decompressed. */
export type Loader = (name: string) => Promise<string>;

export function fromHex(hex: string): Uint8Array {
  if (hex.length % 2 !== 0 || /[^0-9a-f]/i.test(hex)) throw new Error(`not hexadecimal: ${hex.slice(0, 20)}`);
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface WycheproofCase {
  readonly tcId: number;
  readonly comment?: string;
  readonly flags?: readonly string[];
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface WycheproofFile<C, G> {
  readonly numberOfTests: number;
  readonly testGroups: readonly (G & { readonly tests: readonly C[] })[];
}

/** All cases of the groups that `wanted` takes. A file that is not whole, or yields nothing, is an error. */
export async function wycheproof<C extends WycheproofCase, G = unknown>(
  load: Loader,
  name: string,
  wanted: (group: G) => boolean = () => true,
): Promise<C[]> {
  const file = JSON.parse(await load(name)) as WycheproofFile<C, G>;
  const all = file.testGroups.flatMap((group) => group.tests);
  if (all.length !== file.numberOfTests) {
    throw new Error(`${name}: says ${file.numberOfTests} tests and holds ${all.length}`);
  }
  return atLeastOne(
    name,
    file.testGroups.filter((group) => wanted(group)).flatMap((group) => group.tests),
  );
}

/** The `name = hex` lines of a CCTV file. A name that comes twice keeps its last value, as there. */
export async function cctv(load: Loader, name: string): Promise<(field: string) => string> {
  const fields = new Map<string, string>();
  for (const line of (await load(name)).split('\n')) {
    const at = line.indexOf(' = ');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 3).trim());
  }
  return (field) => {
    const value = fields.get(field);
    if (value === undefined) throw new Error(`${name}: no field ${field}`);
    return value;
  };
}

export async function lines(load: Loader, name: string): Promise<string[]> {
  return atLeastOne(
    name,
    (await load(name)).split('\n').filter((line) => line !== ''),
  );
}

function atLeastOne<C>(name: string, cases: C[]): C[] {
  if (cases.length === 0) throw new Error(`${name}: yields no case`);
  return cases;
}
