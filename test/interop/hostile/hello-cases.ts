/** Section 4.1: what a hello may not be. Each goes to a server as ClientHello and to a client as ServerHello. */
import { base64, cat, unhex, utf8, zeros } from './crypto.ts';
import type { HostileCase } from './case.ts';
import { SIDES } from './case.ts';
import type { Stranger } from './stranger.ts';

const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const REFUSAL = {
  form: 'hello: binary, too long, no JSON object, byte-order mark',
  version: 'hello: `pq_websocket` missing or not the number 1',
  member: 'hello: key or ciphertext missing, no string, not canonical base64, wrong length',
  modulus: 'encapsulation key with a coefficient of 3,329 or more',
} as const;

export type Make = (good: string, member: string, value: Uint8Array) => string | Uint8Array;
export type Named = readonly [name: string, make: Make];

export const quoted = (text: string): string => `"${text}"`;
const hello = (member: string, value: string, version = '1'): string =>
  `{"pq_websocket":${version},"${member}":${value}}`;

/** RFC 4648 section 3.5: the last character before the padding has unused bits; this sets the lowest. */
function setUnusedBit(text: string): string {
  const at = text.replace(/=+$/, '').length - 1;
  return text.slice(0, at) + STANDARD.charAt(STANDARD.indexOf(text.charAt(at)) | 1) + text.slice(at + 1);
}

export function filled(good: string, bytes: number, unit = 'x'): string {
  const start = `${good.slice(0, -1)},"filling":"`;
  const room = bytes - start.length - 2;
  const width = utf8(unit).length;
  return `${start}${unit.repeat(Math.floor(room / width))}${'x'.repeat(room % width)}"}`;
}

export const FORMS: readonly Named[] = [
  ['hello is an array', (good) => `[${good}]`],
  ['hello is an empty array', () => '[]'],
  ['hello is a number', () => '1'],
  ['hello is a string', (good) => JSON.stringify(good)],
  ['hello is null', () => 'null'],
  ['hello is empty', () => ''],
  ['hello is white space', () => ' \n'],
  ['hello is no JSON', () => 'hello'],
  ['hello is cut off', (good) => good.slice(0, -1)],
  ['hello has a trailing comma', (good) => `${good.slice(0, -1)},}`],
  ['hello has single quotes', (good) => good.replaceAll('"', "'")],
  ['hello has a comment', (good) => `/**/${good}`],
  ['hello is two objects', (good) => good + good],
  ['hello ends in NUL', (good) => `${good}\0`],
  ['hello begins with a no-break space', (good) => `\u00a0${good}`],
  ['hello begins with a byte-order mark', (good) => `\ufeff${good}`],
  ['hello of 16,385 bytes', (good) => filled(good, 16_385)],
  ['hello of 16,385 bytes in fewer characters', (good) => filled(good, 16_385, 'é')],
  ['hello of 200,000 bytes', (good) => filled(good, 200_000)],
  ['hello is binary', (good) => utf8(good)],
  ['hello is empty and binary', () => zeros(0)],
];

/** What `pq_websocket` may not be, as JSON. */
export const WRONG_VERSIONS = ['0', '2', '-1', '1.5', '1e400', '"1"', 'true', 'null', '[1]', '{"1":1}'];

const VERSIONS: readonly Named[] = [
  ['pq_websocket is missing', (_good, member, value) => `{"${member}":"${base64(value)}"}`],
  ['hello is an empty object', () => '{}'],
  ['pq_websocket in capitals', (good) => good.replace('pq_websocket', 'PQ_WebSocket')],
  [
    'pq_websocket twice, the last one wrong',
    (good) => good.replace('{', '{"pq_websocket":1,').replace('1,"ml', '2,"ml'),
  ],
  ['members only through __proto__', (good) => `{"__proto__":${good}}`],
  ...WRONG_VERSIONS.map((version): Named => [
    `pq_websocket is ${version}`,
    (_good, member, value) => hello(member, quoted(base64(value)), version),
  ]),
];

/** What stands in the member's place, as JSON. */
export const VALUES: readonly (readonly [string, (text: string, value: Uint8Array) => string])[] = [
  ...['null', '1', 'true', '[]', '{}'].map((json) => [`key is ${json}`, (): string => json] as const),
  ['key in an array', (text) => `["${text}"]`],
  ['key in an object', (text) => `{"0":"${text}"}`],
  ['key empty', () => '""'],
  ['key one byte short', (_text, value) => quoted(base64(value.slice(0, -1)))],
  ['key one byte long', (_text, value) => quoted(base64(cat(value, zeros(1))))],
  ['key with an unused bit set', (text) => quoted(setUnusedBit(text))],
  ['key without padding', (text) => quoted(text.slice(0, -1))],
  ['key with padding twice', (text) => quoted(`${text}=`)],
  ['key with characters after the padding', (text) => quoted(`${text}AAAA`)],
  ['key in the URL-safe alphabet', (text) => quoted(`-${text.slice(1)}`)],
  ['key with a space before', (text) => quoted(` ${text}`)],
  ['key with a line feed after', (text) => quoted(`${text}\\n`)],
  ['key with a line feed within', (text) => quoted(`${text.slice(0, 64)}\\n${text.slice(64)}`)],
  ['key with a character outside the alphabet', (text) => quoted(`*${text.slice(1)}`)],
  ['key with a non-ASCII character', (text) => quoted(`é${text.slice(1)}`)],
  ['key in hexadecimal', (_text, value) => quoted(Buffer.from(value).toString('hex'))],
];

const MEMBERS: readonly Named[] = [
  ['key missing', () => '{"pq_websocket":1}'],
  ['key under a name in capitals', (good, member) => good.replace(member, member.toUpperCase())],
  ['key twice, the last one empty', (good, member) => `${good.slice(0, -1)},"${member}":""}`],
  ...VALUES.map(([name, make]): Named => [name, (_good, member, value) => hello(member, make(base64(value), value))]),
];

/** ByteEncode_12: two coefficients in three bytes, little-endian (FIPS 203 algorithm 5). */
export const KEYS: readonly (readonly [string, (key: Uint8Array) => Uint8Array])[] = [
  ['first coefficient is 3,329', (key) => cat(Uint8Array.of(0x01, ((key[1] as number) & 0xf0) | 0x0d), key.slice(2))],
  [
    'last coefficient is 4,095',
    (key) => cat(key.slice(0, 1150), Uint8Array.of((key[1150] as number) | 0xf0, 0xff), key.slice(1152)),
  ],
  ['every byte of the key is 0xff', (key) => zeros(key.length).fill(0xff)],
];

async function say(stranger: Stranger, make: Make): Promise<void> {
  if (stranger.side === 'server') await stranger.readHello();
  stranger.send(make(stranger.goodHello(), stranger.member, stranger.value));
}

export function helloCases(): HostileCase[] {
  const groups = [
    [FORMS, REFUSAL.form],
    [VERSIONS, REFUSAL.version],
    [MEMBERS, REFUSAL.member],
  ] as const;
  const cases = SIDES.flatMap((victim) =>
    groups.flatMap(([named, refusal]) =>
      named.map(([name, make]): HostileCase => ({
        name,
        refusal,
        victim,
        code: 3768,
        attack: (stranger) => say(stranger, make),
      })),
    ),
  );
  const badKeys = KEYS.map(([name, change]): HostileCase => ({
    name,
    refusal: REFUSAL.modulus,
    victim: 'server',
    code: 3768,
    attack: (stranger) => say(stranger, (_good, member, value) => hello(member, quoted(base64(change(value))))),
  }));
  const others: HostileCase[] = [
    {
      name: "the other side's hello",
      refusal: REFUSAL.member,
      victim: 'client',
      code: 3768,
      attack: async (stranger) => {
        await stranger.readHello();
        stranger.send(stranger.clientHello);
      },
    },
    ...SIDES.map((victim): HostileCase => ({
      name: 'a frame instead of the hello',
      refusal: REFUSAL.form,
      victim,
      code: 3768,
      attack: (stranger) => say(stranger, () => unhex('00'.repeat(40))),
    })),
  ];
  return [...cases, ...badKeys, ...others];
}
