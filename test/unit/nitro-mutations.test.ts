/**
 * Takes every check of a Nitro document out of the verifier, one after another, and demands that then one of
 * nitro-violations.ts is no longer refused with its code. So no check can be lost without a red test.
 */
import { describe, expect, it } from 'vitest';
import type * as Testing from '../../packages/nitro/src/testing.ts';
import { makeDocument, MODULE_ID, optionsFor } from './nitro-fixtures.ts';
import type { Made } from './nitro-fixtures.ts';
import { load, mutants } from './nitro-mutants.ts';
import type { Mutant } from './nitro-mutants.ts';
import { VIOLATIONS } from './nitro-violations.ts';
import type { Violation } from './nitro-violations.ts';

/** Parts that only tell the compiler a type, with what makes them superfluous when the program runs. */
const EQUIVALENT: Readonly<Record<string, string>> = {
  'nitro/cose.ts: !Array.isArray(item) -> false':
    'of what CBOR gives, else only text has a length, and its elements are no bytes',
  'nitro/cose.ts: !(header instanceof Map) -> false': 'nothing else that CBOR gives has a size of 1',
  "nitro/payload.ts: typeof value !== 'number' -> false": 'Number.isSafeInteger is false for everything else',
  "nitro/payload.ts: typeof index === 'number' -> true": 'Number.isInteger is false for everything else',
  'nitro/certificate.ts: signed === undefined -> false': 'the parser always sets it',
  'nitro/chain.ts: first === undefined -> false': 'payload.ts refuses an empty cabundle',
  'nitro/chain.ts: issuer.pathLength !== undefined -> true': 'no number is greater than undefined',
};

const made = new Map<Violation, Made>();

async function verdict(verifier: typeof Testing, violation: Violation): Promise<unknown> {
  const document = made.get(violation) ?? violation.make();
  made.set(violation, document);
  try {
    await verifier.verifyNitroDocumentForTesting(document.document, optionsFor(document, violation.options));
    return 'accepted';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** Some mutants refuse more instead of less. */
const GOOD: Violation = {
  code: 'NITRO_ERR_MODULE_ID',
  name: 'none',
  make: makeDocument,
  options: { moduleId: MODULE_ID },
};

/** The first violation that the mutant lets pass, or refuses for another reason. */
async function detected(mutant: Mutant): Promise<string | undefined> {
  const verifier = await load(mutant);
  const near = VIOLATIONS.filter(({ code }) => mutant.codes.includes(code));
  const rest = VIOLATIONS.filter((violation) => !near.includes(violation));
  for (const violation of [...near, GOOD, ...rest]) {
    const expected = violation === GOOD ? 'accepted' : violation.code;
    if ((await verdict(verifier, violation)) !== expected) return `${violation.code}: ${violation.name}`;
  }
  return undefined;
}

describe('a verifier without a check lets something pass', () => {
  for (const mutant of mutants()) {
    const where = `${mutant.file}: ${mutant.change}`;
    const reason = EQUIVALENT[where];
    it(`${mutant.file}:${mutant.line} ${mutant.change}`, async () => {
      const found = await detected(mutant);
      if (reason === undefined) expect(found, where).toBeDefined();
      // Else this list is out of date.
      else expect(found, `${where} (${reason})`).toBeUndefined();
    });
  }
});

describe('the verifier as it is, bundled the same way', () => {
  it('refuses every one of them', async () => {
    const verifier = await load(undefined);
    for (const violation of VIOLATIONS) expect(await verdict(verifier, violation), violation.name).toBe(violation.code);
  });
});
