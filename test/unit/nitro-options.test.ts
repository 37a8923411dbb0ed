import { describe, expect, it } from 'vitest';
import { verifyNitro, verifyNitroDocument } from '../../packages/nitro/src/index.ts';
import type { NitroOptions } from '../../packages/nitro/src/index.ts';
import { createTestEnclave, verifyNitroForTesting } from '../../packages/nitro/src/testing.ts';

const GOOD = 'ab'.repeat(48);
const ZERO = '00'.repeat(48);

describe('bad options are refused at once, by name', () => {
  it.each<[string, unknown, string]>([
    ['none', undefined, "option 'pcrs' must be an object of expected values by index, got a undefined"],
    ['no object', 3, 'options must be an object, got a number'],
    ['an unknown one', { pcrs: { 0: GOOD }, pcr0: GOOD }, "unknown option 'pcr0'"],
    ['allowDebug, which does not exist', { pcrs: { 0: GOOD }, allowDebug: true }, "unknown option 'allowDebug'"],
    ['no PCRs', { pcrs: {} }, "option 'pcrs' must name at least one PCR"],
    ['PCRs as null', { pcrs: null }, "option 'pcrs' must be an object of expected values by index, got null"],
    ['a PCR index beyond 31', { pcrs: { 32: GOOD } }, 'indexes from 0 to 31'],
    ['a negative PCR index', { pcrs: { [-1]: GOOD } }, 'indexes from 0 to 31'],
    ['a PCR by name', { pcrs: { PCR0: GOOD } }, 'indexes from 0 to 31'],
    ['an index written otherwise', { pcrs: { '00': GOOD } }, 'indexes from 0 to 31'],
    ['an empty index', { pcrs: { '': GOOD } }, 'indexes from 0 to 31'],
    [
      'a PCR too short',
      { pcrs: { 0: GOOD.slice(2) } },
      "'pcrs.0' must be 48 bytes or 96 hexadecimal digits, got a string of length 94",
    ],
    [
      'a PCR of 32 bytes',
      { pcrs: { 0: new Uint8Array(32) } },
      "'pcrs.0' must be 48 bytes or 96 hexadecimal digits, got Uint8Array of length 32",
    ],
    ['a PCR with 0x', { pcrs: { 0: `0x${GOOD.slice(2)}` } }, "'pcrs.0' must be 48 bytes"],
    [
      'a PCR undefined',
      { pcrs: { 0: undefined } },
      "'pcrs.0' must be 48 bytes or 96 hexadecimal digits, got a undefined",
    ],
    ['no alternative', { pcrs: { 0: [] } }, "'pcrs.0' must have at least one alternative"],
    ['a bad alternative', { pcrs: { 0: [GOOD, 'x'] } }, "'pcrs.0' must be 48 bytes"],
    ['debug mode as PCR0', { pcrs: { 0: ZERO } }, "'pcrs.0' must not be all zero, which is an enclave in debug mode"],
    ['debug mode as alternative of PCR2', { pcrs: { 2: [GOOD, new Uint8Array(48)] } }, "'pcrs.2' must not be all zero"],
    ['nothing but zero', { pcrs: { 8: ZERO } }, 'zero measures nothing'],
    ['zero as alternative to all that is expected', { pcrs: { 8: [GOOD, ZERO], 9: ZERO } }, 'zero measures nothing'],
    ['a module id empty', { pcrs: { 0: GOOD }, moduleId: '' }, "option 'moduleId' must be a non-empty string"],
    [
      'a module id no string',
      { pcrs: { 0: GOOD }, moduleId: 4 },
      "option 'moduleId' must be a non-empty string, got a number",
    ],
    [
      'an age of zero',
      { pcrs: { 0: GOOD }, maxAgeMilliseconds: 0 },
      "option 'maxAgeMilliseconds' must be an integer from 1 to 10800000, got 0",
    ],
    ['an age without end', { pcrs: { 0: GOOD }, maxAgeMilliseconds: Infinity }, "option 'maxAgeMilliseconds'"],
    ['a time that is no clock', { pcrs: { 0: GOOD }, now: 1234 }, "option 'now' must be a function, got a number"],
  ])('%s', async (_, options, message) => {
    expect(() => verifyNitro(options as NitroOptions)).toThrow(message);
    const withUserData = typeof options === 'object' ? { ...options, userData: new Uint8Array(59) } : options;
    if (withUserData === undefined) return;
    const judged = verifyNitroDocument(new Uint8Array(1), withUserData as NitroOptions & { userData: Uint8Array });
    await expect(judged).rejects.toThrow(message);
  });

  it.each([[undefined], ['text'], [new Uint8Array(0)], [new Uint8Array(513)]])('user data %s', async (userData) => {
    const given = userData as Uint8Array;
    await expect(verifyNitro({ pcrs: { 0: GOOD } })(new Uint8Array(1), { userData: given })).rejects.toThrow(
      "'userData' must",
    );
    await expect(verifyNitroDocument(new Uint8Array(1), { pcrs: { 0: GOOD }, userData: given })).rejects.toThrow(
      "'userData' must",
    );
  });
});

describe('options', () => {
  const userData = new Uint8Array(59).fill(7);
  const enclave = createTestEnclave({ pcrs: { 0: GOOD } });

  it('are copied: what is changed later is not seen', async () => {
    const pcr0 = new Uint8Array(48).fill(0xab);
    const verify = verifyNitroForTesting({ root: enclave.rootCertificate, pcrs: { 0: pcr0 } });
    pcr0.fill(1);
    await expect(verify(enclave.attest(userData), { userData })).resolves.toBeUndefined();
  });

  it.each([[NaN], [Infinity], [undefined], ['now']])('refuse everything by a clock that says %s', async (time) => {
    const verify = verifyNitroForTesting({
      root: enclave.rootCertificate,
      pcrs: { 0: GOOD },
      now: () => time as number,
    });
    await expect(verify(enclave.attest(userData), { userData })).rejects.toThrow(
      "option 'now' must return milliseconds",
    );
  });
});
