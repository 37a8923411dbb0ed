/**
 * Writes v1.json and yellowpages.json. The expected bytes come from the noble primitives called directly;
 * nothing here may import from src/, because these files are what src/ is judged by.
 *
 *   node test/vectors/generate.ts            write both files
 *   node test/vectors/generate.ts --check    exit 1 when a committed file differs from what would be written
 *
 * README.md beside this file explains every field. Section numbers are PROTOCOL.md's.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gcm } from '@noble/ciphers/aes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import {
  type Bytes,
  type Side,
  type Piece,
  type Message,
  type Step,
  type Delivered,
  utf8,
  hex,
  unhex,
  base64,
  base64url,
  quoted,
  cat,
  zeros,
  countUp,
  u32be,
  u64be,
  other,
  expandPieces,
  xorAt,
  setUnusedBit,
  STANDARD,
  URL_SAFE,
} from './make/bytes.ts';
import {
  keySeed,
  m,
  context,
  maxPayload,
  maxInner,
  nonce,
  caseNonce,
  kem,
  ek64,
  ct64,
  clientHello,
  serverHello,
  transcript,
  type Session,
  schedule,
  exportCase,
  plain,
  bound,
  KIND,
  inner,
  entry,
  closeContent,
  padTo,
  padme,
  sealAt,
  record,
  conversation,
  cipherText,
  sharedSecret,
} from './make/connection.ts';
import { extensions } from './make/extensions.ts';
import { v1Cases } from './make/v1/index.ts';
import { yellowpagesCases } from './make/yellowpages-cases.ts';

const asText = (value: string): [Bytes, Delivered[]] => [utf8(value), [{ text: value }]];
const asBinary = (value: Bytes): [Bytes, Delivered[]] => [value, [{ binary: hex(value) }]];

function clientRecords(): ReturnType<typeof record>[] {
  const { add, records } = conversation('client');
  const padded = (name: string, value: string, size: (length: number) => number): void => {
    const length = utf8(value).length + 1;
    add(name, 'text', ...asText(value), size(length) - length);
  };
  add('Finished(client)', 'finished', utf8('{}'));
  add('empty text', 'text', ...asText(''));
  add('short text', 'text', ...asText('hello'));
  add('non-ASCII text', 'text', ...asText('Grüße, 世界 👋🏽'));
  add('text that begins with U+FEFF, which is part of it', 'text', ...asText('\ufeffnot a byte-order mark'));
  add('text that ends in U+0000, which is part of it', 'text', ...asText('ends in nul\0\0'));
  padded('text padded to blocks of 64', 'hello', (length) => Math.ceil(length / 64) * 64);
  padded(
    'text of 63 bytes, which fills a block of 64 exactly',
    'x'.repeat(63),
    (length) => Math.ceil(length / 64) * 64,
  );
  padded('text padded by PADMÉ', 'p'.repeat(200), padme);
  add('empty binary', 'binary', ...asBinary(zeros(0)));
  add('short binary', 'binary', ...asBinary(unhex('00ff10')));
  add('binary that ends in zero bytes and is padded', 'binary', ...asBinary(unhex('0102000000')), 10);
  add('binary of 1 KiB', 'binary', ...asBinary(countUp(1024)));
  add('batch of two texts', 'batch', cat(entry(1, utf8('one')), entry(1, utf8('two'))), [
    { text: 'one' },
    { text: 'two' },
  ]);
  add(
    'batch of text and binary, empty ones among them, padded to blocks of 64',
    'batch',
    cat(entry(2, zeros(0)), entry(1, utf8('ü')), entry(1, zeros(0)), entry(2, unhex('000000'))),
    [{ binary: '' }, { text: 'ü' }, { text: '' }, { binary: '000000' }],
    padTo(cat(zeros(5), zeros(7), zeros(5), zeros(8)), 64),
  );
  add('batch of one, which a receiver takes and no sender sends', 'batch', entry(1, utf8('alone')), [
    { text: 'alone' },
  ]);
  add('key update to epoch 1', 'update', zeros(0));
  add('first record of epoch 1', 'text', ...asText('sealed under key[client,1]'));
  add('key update to epoch 2, padded to 64', 'update', zeros(0), [], 63);
  add('first record of epoch 2', 'binary', ...asBinary(unhex('c0ffee')));
  add('close 4001 "done"', 'close', closeContent(4001, 'done'));
  return records;
}

function serverRecords(): ReturnType<typeof record>[] {
  const { add, records } = conversation('server');
  add('Finished(server)', 'finished', utf8('{}'));
  add('text, which a server may send before Finished(client)', 'text', ...asText('welcome'));
  add('key update to epoch 1', 'update', zeros(0));
  add('first record of epoch 1', 'binary', ...asBinary(countUp(16)));
  add('key update to epoch 2', 'update', zeros(0));
  add('first record of epoch 2', 'batch', cat(entry(2, unhex('01')), entry(1, utf8('two'))), [
    { binary: '01' },
    { text: 'two' },
  ]);
  add('close answer to 4001 "done", equal to it', 'answer', closeContent(4001, 'done'));
  return records;
}

const clientSent = clientRecords();
const serverSent = serverRecords();

// ---- 9: closing -------------------------------------------------------------------------------------------

function ending(name: string, by: Side, content: Bytes, code: number, reason: string, padding = 0): object {
  const close = record('close', by, 1, 'close', content, { iv: caseNonce(), padding });
  const answer = record('close answer', other(by), 1, 'answer', content, { iv: caseNonce(), padding });
  return { name, by, code, reason, close, answer };
}
const longReason = `${'é'.repeat(61)}!`;
const endings = [
  ending('empty: both see 1005', 'client', zeros(0), 1005, ''),
  ending('code without reason', 'client', closeContent(1000), 1000, ''),
  ending('code and reason', 'server', closeContent(4000, 'bye'), 4000, 'bye'),
  ending('the longest reason, 123 bytes', 'server', closeContent(3000, longReason), 3000, longReason),
  ending("a code of this layer, which sealed is the application's", 'client', closeContent(3771, 'mine'), 3771, 'mine'),
  ending('padded to blocks of 256', 'client', closeContent(1001, 'away'), 1001, 'away', 256 - 7),
];
const crossings = [
  {
    name: 'both close at once; nobody answers',
    client: record('close', 'client', 1, 'close', closeContent(4100, 'from the client'), { iv: caseNonce() }),
    server: record('close', 'server', 1, 'close', closeContent(1001, 'from the server'), { iv: caseNonce() }),
    clientSees: { code: 1001, reason: 'from the server' },
    serverSees: { code: 4100, reason: 'from the client' },
  },
];
const acceptedCloseCodes = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3768, 3773, 3999, 4000, 4999,
];
const refusedCloseCodes = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1999, 2000, 2999, 5000, 65_535];

// ---- 10: frames to a session that is open -----------------------------------------------------------------

/** Seals for a test case: the sender is the receiver's peer, seq 1 of epoch 0 unless said. */
function caseFrame(
  to: Side,
  plaintext: Bytes,
  options: { seq?: number; epoch?: number; from?: Side; session?: Session; iv?: Bytes } = {},
): Bytes {
  const { seq = 1, epoch = 0, from = other(to), session = plain, iv = caseNonce() } = options;
  return sealAt(session.keys[from][epoch]!, seq, plaintext, iv);
}
const binary = (frame: Bytes): Message => ({ binary: hex(frame) });
const receive = (frame: Bytes): Step => ({ receive: binary(frame) });
function longFrame(to: Side, pieces: Piece[], seq = 1): Message {
  const key = plain.keys[other(to)][0]!;
  const iv = caseNonce();
  const frame = sealAt(key, seq, unhex(expandPieces(pieces)), iv);
  return {
    seal: { key: hex(key), nonce: hex(iv), aad: hex(u64be(seq)), inner: pieces, frameSha256: hex(sha256(frame)) },
  };
}

function batchOf(lastPayload: number): Piece[] {
  const full = hex(Uint8Array.of(KIND.binary)) + hex(u32be(65_536));
  const pieces: Piece[] = [];
  for (const byte of ['a1', 'a2', 'a3']) pieces.push(full, { repeat: byte, times: 65_536 });
  return [...pieces, `02${hex(u32be(lastPayload))}`, { repeat: 'a4', times: lastPayload }, '03'];
}

const hello = inner(utf8('hello'), KIND.text);
const localClose: Step = { close: { code: 4000, reason: 'bye' } };

function acceptedFrames(): object[] {
  const to = 'server';
  const cases: object[] = [];
  const add = (name: string, message: Message, delivers: Delivered[], before: Step[] = [], at: Side = to): void => {
    cases.push({ name, to: at, before, message, delivers });
  };
  add('shortest frame, 29 bytes', binary(caseFrame(to, inner(zeros(0), 1))), [{ text: '' }]);
  add('message of maxPayload bytes', longFrame(to, [{ repeat: '61', times: maxPayload }, '01']), [
    { text: [{ repeat: 'a', times: maxPayload }] },
  ]);
  add(
    'inner of the greatest length, all but 6 bytes padding',
    longFrame(to, ['68656c6c6f', '01', { repeat: '00', times: maxInner - 6 }]),
    [{ text: 'hello' }],
  );
  add('batch of 262,144 bytes', longFrame(to, batchOf(65_516)), [
    ...['a1', 'a2', 'a3'].map((repeat) => ({ binary: [{ repeat, times: 65_536 }] })),
    { binary: [{ repeat: 'a4', times: 65_516 }] },
  ]);
  add('key update as the first record after Finished', binary(caseFrame(to, inner(zeros(0), KIND.update))), []);
  add(
    'second update with one record between',
    binary(caseFrame(to, inner(zeros(0), KIND.update), { seq: 3, epoch: 1 })),
    [],
    [receive(caseFrame(to, inner(zeros(0), KIND.update))), receive(caseFrame(to, hello, { seq: 2, epoch: 1 }))],
  );
  for (const at of ['server', 'client'] as const) {
    add(
      `to the ${at} that has sent its close: opened, then discarded`,
      binary(caseFrame(at, hello)),
      [],
      [localClose],
      at,
    );
    add(
      `to the ${at} that has sent its close: key update`,
      binary(caseFrame(at, inner(zeros(0), KIND.update))),
      [],
      [localClose],
      at,
    );
    const close = receive(caseFrame(at, inner(closeContent(1000), KIND.close)));
    add(
      `to the ${at} that has received a close: ignored, though it would not open`,
      binary(countUp(40)),
      [],
      [close],
      at,
    );
    add(`to the ${at} that has received a close: a text message, ignored`, { text: 'ignored' }, [], [close], at);
  }
  return cases;
}

function refusedFrames(): object[] {
  const cases: object[] = [];
  const add = (name: string, to: Side, message: Message, code: number, before: Step[] = []): void => {
    cases.push({ name: `${name}, to the ${to}`, to, before, message, code });
  };
  for (const to of ['server', 'client'] as const) {
    const from = other(to);
    const key = plain.keys[from][0]!;
    const sealed = (plaintext: Bytes, options: Parameters<typeof caseFrame>[2] = {}): Bytes =>
      caseFrame(to, plaintext, options);
    const bad = (name: string, plaintext: Bytes, before: Step[] = []): void =>
      add(name, to, binary(sealed(plaintext)), 3772, before);
    const update = inner(zeros(0), KIND.update);
    const first = sealed(hello);

    // 3771: what is too short or does not open
    add('frame of 0 bytes', to, binary(zeros(0)), 3771);
    add('frame of 12 bytes, a nonce alone', to, binary(caseNonce()), 3771);
    add('frame of 28 bytes, the valid seal of an empty inner', to, binary(sealed(zeros(0))), 3771);
    add('frame of 29 zero bytes', to, binary(zeros(29)), 3771);
    add('bit flipped in the nonce', to, binary(xorAt(first, 0, 0x01)), 3771);
    add('bit flipped in the ciphertext', to, binary(xorAt(first, 12, 0x80)), 3771);
    add('bit flipped in the tag', to, binary(xorAt(first, first.length - 1, 0x01)), 3771);
    add('last byte missing', to, binary(first.slice(0, -1)), 3771);
    add('a byte more', to, binary(cat(first, zeros(1))), 3771);
    add('replayed', to, binary(first), 3771, [receive(first)]);
    add('replayed, the Finished', to, { binary: (to === 'server' ? clientSent : serverSent)[0]!.frame }, 3771);
    add('reordered, or the one before dropped (seq 2 for 1)', to, binary(sealed(hello, { seq: 2 })), 3771);
    add('seq 0 again', to, binary(sealed(hello, { seq: 0 })), 3771);
    add('seq counted from 0 again after an update', to, binary(sealed(hello, { seq: 0, epoch: 1 })), 3771, [
      receive(sealed(update)),
    ]);
    add("reflected: sealed under the receiver's own key", to, binary(sealed(hello, { from: to })), 3771);
    add('of another connection: same secret, another transcript', to, binary(sealed(hello, { session: bound })), 3771);
    add('old key after an update', to, binary(sealed(hello, { seq: 2 })), 3771, [receive(sealed(update))]);
    add('next key without an update', to, binary(sealed(hello, { epoch: 1 })), 3771);
    const iv = caseNonce();
    add('no additional data', to, binary(cat(iv, gcm(key, iv).encrypt(hello))), 3771);
    const iv2 = caseNonce();
    add(
      'seq little-endian',
      to,
      binary(cat(iv2, gcm(key, iv2, Uint8Array.from([...u64be(1)].reverse())).encrypt(hello))),
      3771,
    );
    add("does not open, after one's own close", to, binary(xorAt(first, 20, 0x04)), 3771, [localClose]);

    // 3772: what opens and breaks a rule
    add('text message', to, { text: 'hello' }, 3772);
    add('empty text message', to, { text: '' }, 3772);
    bad('no kind byte: one zero', zeros(1));
    bad('no kind byte: 64 zeros', zeros(64));
    bad('kind 8', inner(utf8('x'), 8));
    bad('kind 255', inner(utf8('x'), 255));
    bad('second Finished', inner(utf8('{}'), KIND.finished));
    bad('text: a lone continuation byte', inner(unhex('6180'), KIND.text));
    bad('text: cut off within a character', inner(unhex('e282'), KIND.text));
    bad('text: overlong', inner(unhex('c0af'), KIND.text));
    bad('text: surrogate', inner(unhex('eda080'), KIND.text));
    bad('text: surrogate pair (CESU-8)', inner(unhex('eda0bdedb880'), KIND.text));
    bad('text: above U+10FFFF', inner(unhex('f4908080'), KIND.text));
    bad('batch: empty', inner(zeros(0), KIND.batch));
    bad('batch: header cut off', inner(unhex('01000000'), KIND.batch));
    bad('batch: header cut off in the second entry', inner(cat(entry(1, utf8('a')), unhex('02')), KIND.batch));
    bad('batch: payload cut off', inner(unhex('010000000461'), KIND.batch));
    bad('batch: length 2^32 - 1', inner(unhex('01ffffffff61'), KIND.batch));
    bad('batch: a byte after the last entry', inner(cat(entry(1, utf8('a')), unhex('07')), KIND.batch));
    bad('batch: entry of kind 3', inner(cat(entry(1, utf8('a')), entry(3, entry(1, utf8('b')))), KIND.batch));
    bad('batch: entry of kind 0', inner(entry(0, utf8('a')), KIND.batch));
    bad('batch: entry of kind 4', inner(entry(4, closeContent(1000)), KIND.batch));
    bad(
      'batch: bad UTF-8 in the second entry',
      inner(cat(entry(1, utf8('not delivered')), entry(1, unhex('ff'))), KIND.batch),
    );
    bad('key update with content', inner(unhex('01'), KIND.update));
    add('two key updates with nothing between', to, binary(sealed(update, { seq: 2, epoch: 1 })), 3772, [
      receive(sealed(update)),
    ]);
    bad('close of 1 byte', inner(unhex('03'), KIND.close));
    for (const code of refusedCloseCodes) bad(`close with code ${code}`, inner(closeContent(code, 'x'), KIND.close));
    bad('close: bad UTF-8 in the reason', inner(unhex('03e8ff'), KIND.close));
    bad('close of 126 bytes', inner(closeContent(1000, 'x'.repeat(124)), KIND.close));
    bad('close answer unasked, empty', inner(zeros(0), KIND.answer));
    bad('close answer unasked', inner(closeContent(1000), KIND.answer));
    bad('close answer with another code', inner(closeContent(4001, 'bye'), KIND.answer), [localClose]);
    bad('close answer with another reason', inner(closeContent(4000, 'Bye'), KIND.answer), [localClose]);
    bad('close answer that is empty though the close was not', inner(zeros(0), KIND.answer), [localClose]);
    bad('close answer that says 1000 though the close was empty', inner(closeContent(1000), KIND.answer), [
      { close: {} },
    ]);
    bad("unknown kind, after one's own close", inner(utf8('x'), 8), [localClose]);
    bad("bad UTF-8, after one's own close", inner(unhex('ff'), KIND.text), [localClose]);
    add("text message, after one's own close", to, { text: 'hello' }, 3772, [localClose]);
  }

  // 3772 again: no batch is longer, so this is none
  add('batch of 262,145 bytes', 'server', longFrame('server', batchOf(65_517)), 3772);

  // 3773: limits
  add(
    'message one byte above maxPayload',
    'server',
    longFrame('server', [{ repeat: '61', times: maxPayload + 1 }, '01']),
    3773,
  );
  add(
    'batch entry one byte above maxPayload',
    'server',
    longFrame('server', [
      `01${hex(u32be(1))}61`,
      `02${hex(u32be(maxPayload + 1))}`,
      { repeat: '61', times: maxPayload + 1 },
      '03',
    ]),
    3773,
  );
  add(
    'inner one byte above the greatest length',
    'server',
    longFrame('server', ['68656c6c6f', '01', { repeat: '00', times: maxInner - 5 }]),
    3773,
  );
  add(
    'as long and not even sealed: the length is looked at first',
    'server',
    { binary: [{ repeat: '00', times: maxInner + 29 }] },
    3773,
  );
  return cases;
}

// ---- 4: hellos --------------------------------------------------------------------------------------------

interface HelloShape {
  to: Side;
  member: string;
  value: Bytes;
}
const helloTo: Record<Side, HelloShape> = {
  server: { to: 'server', member: 'ml_kem_768_encapsulation_key', value: kem.publicKey },
  client: { to: 'client', member: 'ml_kem_768_ciphertext', value: cipherText },
};
const helloText = (shape: HelloShape, value: string, version = '1'): string =>
  `{"pq_websocket":${version},"${shape.member}":${value}}`;
/** The hello with an unknown member that makes it `bytes` long; `unit` is what the filling is made of. */
function filledHello(shape: HelloShape, bytes: number, unit = 'x'): Piece[] {
  const start = `${helloText(shape, quoted(base64(shape.value))).slice(0, -1)},"filling":"`;
  const times = (bytes - start.length - 2) / utf8(unit).length;
  return [
    start,
    { repeat: unit, times: Math.floor(times) },
    `${'x'.repeat((bytes - start.length - 2) % utf8(unit).length)}"}`,
  ];
}

function acceptedHellos(): object[] {
  const cases: object[] = [];
  for (const shape of Object.values(helloTo)) {
    const value = quoted(base64(shape.value));
    const add = (name: string, text: string | Piece[]): void => {
      const whole = typeof text === 'string' ? text : expandPieces(text);
      const session =
        shape.to === 'server' ? schedule(whole, serverHello, sharedSecret) : schedule(clientHello, whole, sharedSecret);
      const finished = (side: Side): string => record('', side, 0, 'finished', utf8('{}'), { session }).frame;
      cases.push({
        name: `${name}, to the ${shape.to}`,
        to: shape.to,
        message: { text },
        th: hex(session.th),
        serverFinished: finished('server'),
        clientFinished: finished('client'),
      });
    };
    for (const version of ['1', '1.0', '1e0', '10E-1'])
      add(`version written ${version}`, helloText(shape, value, version));
    add(
      'unknown members',
      `{"pq_websocket":1,"a":null,"${shape.member}":${value},"b":{"c":[1,2,{"pq_websocket":2}]},"":true}`,
    );
    add(
      'an unknown member named __proto__',
      `{"__proto__":{"pq_websocket":2},"pq_websocket":1,"${shape.member}":${value}}`,
    );
    add('white space', ` {\n\t"pq_websocket" : 1 ,\r\n "${shape.member}" : ${value}\n}\n`);
    add('members in the other order', `{"${shape.member}":${value},"pq_websocket":1}`);
    add("escapes in a member's name", `{"pq_websocket":1,"\\u006dl${shape.member.slice(2)}":${value}}`);
    add('escapes in the base64', helloText(shape, value.replaceAll('/', '\\/').replaceAll('+', '\\u002b')));
    add('non-ASCII in an unknown member', `{"pq_websocket":1,"name":"Grüße 👋","${shape.member}":${value}}`);
    add('exactly 16,384 bytes', filledHello(shape, 16_384));
    add('exactly 16,384 bytes, fewer characters', filledHello(shape, 16_384, 'é'));
  }
  return cases;
}

function refusedHellos(): object[] {
  const cases: object[] = [];
  for (const shape of Object.values(helloTo)) {
    const plain64 = base64(shape.value);
    const good = helloText(shape, quoted(plain64));
    const add = (name: string, message: Message): void => {
      cases.push({ name: `${name}, to the ${shape.to}`, to: shape.to, message, code: 3768 });
    };
    const text = (name: string, value: string | Piece[]): void => add(name, { text: value });
    const key = (name: string, value: string): void => text(`${name} (the base64)`, helloText(shape, value));

    text('pq_websocket missing', `{"${shape.member}":${quoted(plain64)}}`);
    text(`${shape.member} missing`, '{"pq_websocket":1}');
    text('empty object', '{}');
    for (const version of ['0', '2', '-1', '1.5', '1e400', '"1"', 'true', 'null', '[1]', '{"1":1}'])
      text(`version ${version}`, helloText(shape, quoted(plain64), version));
    for (const value of ['null', '1', 'true', '[]', `[${quoted(plain64)}]`, '{}', `{"0":${quoted(plain64)}}`])
      text(`${shape.member} is ${value.length > 9 ? `${value.charAt(0)}…` : value}`, helloText(shape, value));
    text('member name in capitals', good.replace(shape.member, shape.member.toUpperCase()));
    text('pq_websocket in capitals', good.replace('pq_websocket', 'PQ_WebSocket'));
    text('members inherited through __proto__', `{"__proto__":${good}}`);
    text('version twice, the last one wrong', good.replace('{', '{"pq_websocket":1,').replace('1,"ml', '2,"ml'));
    text(`${shape.member} twice, the last one empty`, `${good.slice(0, -1)},"${shape.member}":""}`);
    text("the other side's hello", shape.to === 'server' ? serverHello : clientHello);

    key('empty', '""');
    key('one byte short', quoted(base64(shape.value.slice(0, -1))));
    key('one byte long', quoted(base64(cat(shape.value, zeros(1)))));
    key('unused bit set', quoted(setUnusedBit(plain64, STANDARD)));
    key('no padding', quoted(plain64.slice(0, -1)));
    key('padding twice', quoted(`${plain64}=`));
    key('characters after the padding', quoted(`${plain64}AAAA`));
    key('URL-safe alphabet', quoted(plain64.replaceAll('+', '-').replaceAll('/', '_')));
    key('URL-safe alphabet, no padding', quoted(base64url(shape.value)));
    key('space before', quoted(` ${plain64}`));
    key('line feed after', quoted(`${plain64}\\n`));
    key('line feed within', quoted(`${plain64.slice(0, 64)}\\n${plain64.slice(64)}`));
    key('character outside the alphabet', quoted(`${plain64.slice(0, 8)}*${plain64.slice(9)}`));
    key('non-ASCII character', quoted(`${plain64.slice(0, 8)}é${plain64.slice(9)}`));
    key('hexadecimal instead', quoted(hex(shape.value)));

    for (const [name, value] of [
      ['array', `[${good}]`],
      ['array, empty', '[]'],
      ['number', '1'],
      ['string', JSON.stringify(good)],
      ['null', 'null'],
      ['true', 'true'],
    ] as const)
      text(`not an object: ${name}`, value);
    text('empty text', '');
    text('white space alone', ' \n');
    text('not JSON', 'hello');
    text('cut off', good.slice(0, -1));
    text('trailing comma', `${good.slice(0, -1)},}`);
    text('single quotes', good.replaceAll('"', "'"));
    text('comment', `/**/${good}`);
    text('two objects', `${good}${good}`);
    text('NUL after the object', `${good}\0`);
    text('no-break space before', `\u00a0${good}`);
    text('byte-order mark', `\ufeff${good}`);
    text('16,385 bytes', filledHello(shape, 16_385));
    text('16,385 bytes, fewer than 16,384 characters', filledHello(shape, 16_385, 'é'));
    add('binary message', { binary: hex(utf8(good)) });
    add('empty binary message', { binary: '' });
  }
  const coefficient = (name: string, bytes: Bytes): void => {
    cases.push({ name, to: 'server', message: { text: helloText(helloTo.server, quoted(base64(bytes))) }, code: 3768 });
  };
  // ByteEncode_12: two coefficients in three bytes, little-endian (FIPS 203 algorithm 5)
  const firstIsQ = kem.publicKey.slice();
  firstIsQ.set([0x01, (firstIsQ[1]! & 0xf0) | 0x0d], 0);
  coefficient('first coefficient is q = 3329', firstIsQ);
  const lastIsMax = kem.publicKey.slice();
  lastIsMax.set([lastIsMax[1150]! | 0xf0, 0xff], 1150);
  coefficient('last coefficient is 4095', lastIsMax);
  coefficient('every byte is 0xff', zeros(1184).fill(0xff));
  return cases;
}

// ---- 4.4, 11, 12: Finished, server identity, attestation --------------------------------------------------

const identitySeed = countUp(32, 0x80);
const identity = ml_dsa65.keygen(identitySeed);
const stranger = ml_dsa65.keygen(countUp(32, 0xa0));
const signedBytes = (th: Bytes): Bytes => cat(utf8('pq-websocket/1 server identity'), zeros(1), th);
const sign = (message: Bytes, key: Bytes, ctx?: Bytes): Bytes =>
  ml_dsa65.sign(message, key, { extraEntropy: false, ...(ctx ? { context: ctx } : {}) });
const signature = sign(signedBytes(plain.th), identity.secretKey);
const withSignature = (value: string): string => `{"ml_dsa_65_signature":${value}}`;
const finishedTo = (to: Side, content: string | Bytes, options: Parameters<typeof caseFrame>[2] = {}): Message =>
  binary(
    caseFrame(to, inner(typeof content === 'string' ? utf8(content) : content, KIND.finished), { seq: 0, ...options }),
  );
const filledFinished = (bytes: number): Piece[] => ['7b2261223a22', { repeat: '78', times: bytes - 8 }, '227d', '06'];

function acceptedFinished(): object[] {
  const cases: object[] = [];
  for (const to of ['client', 'server'] as const) {
    const add = (name: string, message: Message, pins: string[] = []): void => {
      cases.push({ name: `${name}, to the ${to}`, to, pins, message });
    };
    add('unknown members and white space', finishedTo(to, ' {"later": [1, {"x": null}]}\n'));
    add('non-ASCII in an unknown member', finishedTo(to, '{"name":"Grüße"}'));
    add('a signature that nobody asked for is ignored, whatever it is', finishedTo(to, withSignature('17')));
    add('a document that nobody asked for is ignored, whatever it is', finishedTo(to, '{"attestation_doc":"*"}'));
    add('65,536 bytes', longFrame(to, filledFinished(65_536), 0));
  }
  const signed = finishedTo('client', withSignature(quoted(base64(signature))));
  cases.push({ name: 'signature by the pinned key', to: 'client', pins: ['identity'], message: signed });
  cases.push({
    name: 'signature by the second of two pinned keys',
    to: 'client',
    pins: ['stranger', 'identity'],
    message: signed,
  });
  return cases;
}

function refusedFinished(): object[] {
  const cases: object[] = [];
  for (const to of ['client', 'server'] as const) {
    const add = (name: string, message: Message): void => {
      cases.push({ name: `${name}, to the ${to}`, to, pins: [], message, code: 3768 });
    };
    const sealed = (plaintext: Bytes): Message => binary(caseFrame(to, plaintext, { seq: 0 }));
    const good = caseFrame(to, inner(utf8('{}'), KIND.finished), { seq: 0 });
    for (const content of ['', '[]', 'null', '1', '"{}"', '{', '{}{}', '\ufeff{}', '{}\0'])
      add(`content is ${JSON.stringify(content)}`, finishedTo(to, content));
    add('content is not UTF-8', finishedTo(to, unhex('7b2261223a22ff227d')));
    add('65,537 bytes', longFrame(to, filledFinished(65_537), 0));
    add('record 0 is a text', sealed(hello));
    add('record 0 is a close', sealed(inner(closeContent(1000), KIND.close)));
    add('record 0 is a key update', sealed(inner(zeros(0), KIND.update)));
    add('record 0 is of kind 8', sealed(inner(utf8('{}'), 8)));
    add('no kind byte', sealed(zeros(3)));
    add('frame of 0 bytes', binary(zeros(0)));
    add('frame of 28 bytes', sealed(zeros(0)));
    add('bit flipped', binary(xorAt(good, 13, 0x10)));
    add('seq 1', finishedTo(to, '{}', { seq: 1 }));
    add("sealed under the receiver's own key", finishedTo(to, '{}', { from: to }));
    add("sealed under the next epoch's key", finishedTo(to, '{}', { epoch: 1 }));
    add('of a peer with a context, which this end has not', finishedTo(to, '{}', { session: bound }));
    add('longer than any frame may be', { binary: [{ repeat: '00', times: maxInner + 29 }] });
    add('text message', { text: '{}' });
    add('the hello once more', { text: to === 'client' ? serverHello : clientHello });
  }
  const unauthentic = (name: string, content: string, pins = ['identity']): void => {
    cases.push({ name, to: 'client', pins, message: finishedTo('client', content), code: 3770 });
  };
  const by = (bytes: Bytes): string => withSignature(quoted(base64(bytes)));
  unauthentic('pinned, no signature', '{}');
  unauthentic('pinned, signature null', withSignature('null'));
  unauthentic('pinned, signature empty', withSignature('""'));
  unauthentic('pinned, signature one byte short', by(signature.slice(0, -1)));
  unauthentic(
    'pinned, signature without base64 padding',
    withSignature(quoted(base64(cat(signature, zeros(1))).replace(/=+$/, ''))),
  );
  unauthentic('pinned, bit flipped in the signature', by(xorAt(signature, 100, 0x01)));
  unauthentic('pinned, another key is', by(signature), ['stranger']);
  unauthentic('pinned, signature over another transcript', by(sign(signedBytes(bound.th), identity.secretKey)));
  unauthentic('pinned, signature over the bare transcript hash', by(sign(plain.th, identity.secretKey)));
  unauthentic(
    'pinned, signature with a non-empty ML-DSA context',
    by(sign(signedBytes(plain.th), identity.secretKey, utf8('pq-websocket/1'))),
  );
  return cases;
}

function implicitRejection(): object {
  const wrong = xorAt(cipherText, 0, 0x01);
  const text = helloText(helloTo.client, quoted(base64(wrong)));
  const rejected = ml_kem768.decapsulate(wrong, kem.secretKey);
  // The server's own transcript has the ciphertext that it sent: no Finished of its can open at this client.
  return {
    serverHello: text,
    sharedSecretOfTheClient: hex(rejected),
    th: hex(transcript(clientHello, text).th),
    message: { binary: serverSent[0]!.frame },
    messageUnderTheRightSecret: binary(
      sealAt(
        schedule(clientHello, text, sharedSecret).keys.server[0]!,
        0,
        inner(utf8('{}'), KIND.finished),
        caseNonce(),
      ),
    ),
    code: 3768,
  };
}

function fastOpen(): object {
  const encoded = base64url(utf8(clientHello));
  const token = `pqws1.${encoded}`;
  // A hello whose length is no multiple of 3, so that its last base64url character has unused bits.
  const uneven = base64url(utf8(clientHello.length % 3 === 0 ? `${clientHello} ` : clientHello));
  return {
    clientHello,
    token,
    offered: [
      { name: 'application offers nothing', application: [], protocols: ['pqws1', token], select: 'pqws1' },
      {
        name: 'application offers two',
        application: ['chat.v2', 'chat.v1'],
        protocols: ['chat.v2', 'chat.v1', 'pqws1', token],
        select: 'chat.v2',
      },
    ],
    ignoredTokens: [
      { name: 'no pqws1 beside it', protocols: [token] },
      { name: 'two tokens', protocols: ['pqws1', token, `pqws1.${base64url(utf8(`${clientHello} `))}`] },
      { name: 'padded', protocols: ['pqws1', `${token}==`] },
      { name: 'empty', protocols: ['pqws1', 'pqws1.'] },
      {
        name: 'a character of the standard alphabet',
        protocols: ['pqws1', `${token.slice(0, -4)}+${token.slice(-3)}`],
      },
      { name: 'unused bit set', protocols: ['pqws1', `pqws1.${setUnusedBit(uneven, URL_SAFE)}`] },
      { name: 'not UTF-8', protocols: ['pqws1', `pqws1.${base64url(unhex('7bff7d'))}`] },
      { name: 'not a ClientHello', protocols: ['pqws1', `pqws1.${base64url(utf8('{}'))}`] },
    ],
    refusedFirstMessages: [
      { name: 'another text', message: { text: `${clientHello} ` }, code: 3768 },
      { name: 'a text that means the same', message: { text: clientHello.replace(':1,', ':1.0,') }, code: 3768 },
      { name: 'the bytes as a binary message', message: { binary: hex(utf8(clientHello)) }, code: 3768 },
      { name: 'Finished(client) at once', message: { binary: clientSent[0]!.frame }, code: 3768 },
    ],
  };
}

// ---- the files --------------------------------------------------------------------------------------------

function transcripts(): object[] {
  const pairs: [string, string, string, Bytes?][] = [
    ['ab + c', 'ab', 'c'],
    ['a + bc', 'a', 'bc'],
    ['a + b, context c', 'a', 'b', utf8('c')],
    ['abc + empty', 'abc', ''],
    ['empty + abc', '', 'abc'],
    ['a + b followed by what a context c looks like', 'a', 'b\0\0\0\x01c'],
    ['length counts UTF-8 bytes, not characters', 'é', '👋'],
  ];
  return pairs.map(([name, ch, sh, ctx]) => {
    const { input, th } = transcript(ch, sh, ctx);
    return {
      name,
      clientHello: ch,
      serverHello: sh,
      ...(ctx ? { context: hex(ctx) } : {}),
      input: hex(input),
      th: hex(th),
    };
  });
}

function sessionSection(session: Session, ctx?: Bytes): object {
  const finished = (from: Side): object => record(`Finished(${from})`, from, 0, 'finished', utf8('{}'), { session });
  return {
    clientHello,
    serverHello,
    ...(ctx ? { context: hex(ctx) } : {}),
    th: hex(session.th),
    ss: hex(sharedSecret),
    secrets: session.steps,
    exports: [
      exportCase(session, 'channel binding', 'my-app auth client', 32),
      exportCase(session, 'the same label, 16 bytes: not a prefix', 'my-app auth client', 16),
      exportCase(session, 'empty label', '', 32),
      exportCase(session, 'non-ASCII label', 'Schlüssel 🔑', 32),
      exportCase(session, 'shortest', 'label', 1),
      exportCase(session, 'longest', 'label', 8160),
    ],
    serverFinished: finished('server'),
    clientFinished: finished('client'),
  };
}

function paddingTables(): object {
  const lengths = [
    1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 1023, 1024, 1025, 4096, 4097, 65_535, 65_536,
    65_537, 262_145, 1_048_577,
  ];
  const around = [7, 8, 9, 10, 12, 16, 17, 20, 24, 30, 31, 32, 33, 40].flatMap((n) => [2 ** n - 1, 2 ** n, 2 ** n + 1]);
  return {
    blocks: [1, 2, 16, 64, 100, 256, 4096, 65_536].map((block) => ({
      block,
      lengths: lengths.map((n) => [n, Math.ceil(n / block) * block]),
    })),
    padme: [...countUp(80, 1), 100, 127, 200, 201, 300, 1000, ...around, 5_000_000].map((n) => [n, padme(n)]),
  };
}

function v1(): object {
  const { publicKey, secretKey } = identity;
  return {
    format: 2,
    profile: 'v1',
    inputs: {
      keySeed: hex(keySeed),
      m: hex(m),
      maxPayload,
      nonces: 'four ASCII characters (clnt, srvr, case), then u64be of a counter: seq for clnt and srvr',
    },
    kem: { encapsulationKey: hex(kem.publicKey), ciphertext: hex(cipherText), sharedSecret: hex(sharedSecret) },
    transcripts: transcripts(),
    session: sessionSection(plain),
    sessionWithContext: sessionSection(bound, context),
    clientRecords: clientSent,
    serverRecords: serverSent,
    endings,
    crossings,
    acceptedCloseCodes,
    refusedCloseCodes,
    acceptedFrames: acceptedFrames(),
    refusedFrames: refusedFrames(),
    acceptedHellos: acceptedHellos(),
    refusedHellos: refusedHellos(),
    serverIdentity: {
      keys: [
        {
          name: 'identity',
          seed: hex(identitySeed),
          publicKey: hex(publicKey),
          secretKeySha256: hex(sha256(secretKey)),
        },
        {
          name: 'stranger',
          seed: hex(countUp(32, 0xa0)),
          publicKey: hex(stranger.publicKey),
          secretKeySha256: hex(sha256(stranger.secretKey)),
        },
      ],
      signedBytes: hex(signedBytes(plain.th)),
      signature: hex(signature),
      serverFinished: record(
        'Finished(server) with a signature',
        'server',
        0,
        'finished',
        utf8(withSignature(quoted(base64(signature)))),
        { iv: caseNonce() },
      ),
    },
    attestation: {
      userData: hex(cat(utf8('pq-websocket/1 attestation'), zeros(1), plain.th)),
      document: hex(utf8('stands for a document; the verifier of the test takes exactly these bytes')),
      serverFinished: record(
        'Finished(server) with a document',
        'server',
        0,
        'finished',
        utf8(
          `{"attestation_doc":"${base64(utf8('stands for a document; the verifier of the test takes exactly these bytes'))}"}`,
        ),
        { iv: caseNonce() },
      ),
      refusedFinished: [
        { name: 'no document', message: finishedTo('client', '{}'), code: 3770 },
        { name: 'document is a number', message: finishedTo('client', '{"attestation_doc":1}'), code: 3770 },
        {
          name: 'document in non-canonical base64',
          message: finishedTo('client', '{"attestation_doc":"AB=="}'),
          code: 3770,
        },
        {
          name: 'another document, which the verifier refuses',
          message: finishedTo('client', '{"attestation_doc":"AAAA"}'),
          code: 3770,
        },
      ],
    },
    acceptedFinished: acceptedFinished(),
    refusedFinished: refusedFinished(),
    implicitRejection: implicitRejection(),
    fastOpen: fastOpen(),
    padding: paddingTables(),
    cases: v1Cases(),
  };
}

function yellowpages(): object {
  const document = base64(utf8('stands for a document; the verifier of the test takes exactly these bytes'));
  const ch = `{"ml_kem_768_encapsulation_key":"${ek64}"}`;
  const sh = `{"ml_kem_768_ciphertext":"${ct64}","auth_attestation_doc":"${document}"}`;
  const hash = sha256(cipherText);
  const json = `{"ml_kem_768_ciphertext_hash":"${base64(hash)}"}`;
  const seal = (plaintext: Bytes, iv: Bytes): Bytes => cat(iv, gcm(sharedSecret, iv).encrypt(plaintext));
  const frames = (
    [
      ['client', 'text, sent as its UTF-8 bytes', utf8('{"hello":"Grüße"}')],
      ['client', 'empty', zeros(0)],
      ['client', '1 KiB', countUp(1024)],
      ['server', 'short', unhex('00ff10')],
    ] as const
  ).map(([from, name, plaintext], i) => {
    const iv = nonce(from === 'client' ? 'clnt' : 'srvr', i);
    return { name, from, nonce: hex(iv), plaintext: hex(plaintext), frame: hex(seal(plaintext, iv)) };
  });
  const refusedFrames: object[] = [];
  const refusedHellos: object[] = [];
  for (const to of ['server', 'client'] as const) {
    const code = (clients: number): number => (to === 'server' ? 1008 : clients);
    const iv = caseNonce();
    const first = seal(utf8('first'), iv);
    const frame = (name: string, message: Message, clients: number, before: object[] = []): void => {
      refusedFrames.push({ name: `${name}, to the ${to}`, to, before, message, code: code(clients) });
    };
    frame('text message', { text: 'hello' }, 3772);
    frame('0 bytes', binary(zeros(0)), 3771);
    frame('27 bytes', binary(zeros(27)), 3771);
    frame('bit flipped', binary(xorAt(first, 14, 0x01)), 3771);
    frame('last byte missing', binary(first.slice(0, -1)), 3771);
    frame('with additional data', binary(sealAt(sharedSecret, 0, utf8('x'), caseNonce())), 3771);
    frame("sealed by v1's key", binary(caseFrame(to, hello)), 3771);
    frame('replayed', binary(first), 3771, [{ receive: binary(first) }]);
    frame('a nonce received before, under another text', binary(seal(utf8('other'), iv)), 3771, [
      { receive: binary(first) },
    ]);
    frame('reflected', binary(first), 3771, [{ sent: binary(first) }]);
    frame('a nonce sent before, under another text', binary(seal(utf8('other'), iv)), 3771, [{ sent: binary(first) }]);

    const { member, value } = helloTo[to];
    const plain64 = base64(value);
    const rest = to === 'client' ? `,"auth_attestation_doc":"${document}"` : '';
    const refuse = (name: string, message: Message, clients = 3768): void => {
      refusedHellos.push({ name: `${name}, to the ${to}`, to, message, code: code(clients) });
    };
    const text = (name: string, content: string, clients = 3768): void => refuse(name, { text: content }, clients);
    const with64 = (content: string): string => `{"${member}":${content}${rest}}`;
    text(`${member} missing`, `{${rest.slice(1)}}`);
    for (const wrong of ['null', '1', '""', '[]']) text(`${member} is ${wrong}`, with64(wrong));
    text('one byte short', with64(quoted(base64(value.slice(0, -1)))));
    text('one byte long', with64(quoted(base64(cat(value, zeros(1))))));
    text('unused bit set', with64(quoted(setUnusedBit(plain64, STANDARD))));
    text('no padding', with64(quoted(plain64.slice(0, -1))));
    text('array', `[${with64(quoted(plain64))}]`);
    text('not JSON', 'hello');
    text('byte-order mark', `\ufeff${with64(quoted(plain64))}`);
    text("v1's hello to an end that speaks yellowpages alone", to === 'server' ? clientHello : serverHello);
    text("v1's member, of another value", with64(quoted(plain64)).replace('{', '{"pq_websocket":null,'));
    refuse('binary', { binary: hex(utf8(with64(quoted(plain64)))) });
    if (to === 'client') {
      text('auth_attestation_doc missing', `{"${member}":"${plain64}"}`, 3770);
      text('auth_attestation_doc is a number', `{"${member}":"${plain64}","auth_attestation_doc":1}`, 3770);
      text('auth_attestation_doc empty', `{"${member}":"${plain64}","auth_attestation_doc":""}`, 3770);
      text(
        'another document, which the verifier refuses',
        `{"${member}":"${plain64}","auth_attestation_doc":"AAAA"}`,
        3770,
      );
    }
  }
  return {
    format: 2,
    profile: 'yellowpages',
    inputs: { keySeed: hex(keySeed), m: hex(m) },
    kem: { encapsulationKey: hex(kem.publicKey), ciphertext: hex(cipherText), sharedSecret: hex(sharedSecret) },
    clientHello: ch,
    serverHello: sh,
    document,
    attestation: { ciphertextSha256: hex(hash), json, userData: base64(utf8(json)) },
    frames,
    acceptedHellos: [
      {
        name: 'unknown members and white space, to the server',
        to: 'server',
        message: { text: ` { "more": 1, "ml_kem_768_encapsulation_key" : "${ek64}" }` },
      },
      {
        name: 'unknown members and white space, to the client',
        to: 'client',
        message: {
          text: ` { "more": 1, "auth_attestation_doc" : "${document}", "ml_kem_768_ciphertext" : "${ct64}" }`,
        },
      },
    ],
    refusedHellos,
    refusedFrames,
    cases: yellowpagesCases(),
  };
}

const check = process.argv.includes('--check');
for (const [name, make] of [
  ['v1.json', v1],
  ['yellowpages.json', yellowpages],
  ['extensions.json', extensions],
] as const) {
  const url = new URL(name, import.meta.url);
  const text = `${JSON.stringify(make(), null, 1)}\n`;
  if (!check) {
    writeFileSync(url, text);
    console.log(`${name}: ${text.length} characters`);
  } else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${name} is not what generate.ts makes`);
    process.exitCode = 1;
  }
}
