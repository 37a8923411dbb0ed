/** PROTOCOL.md 2 and 4.1: hellos. */
import { utf8, hex, base64, cat, quoted, type Piece } from '../bytes.ts';

import { withCoefficient } from '../coefficients.ts';
import { KEMS, coinsOf, agreement } from '../kems.ts';
import { K, clientHelloOf, serverHelloOf } from '../story.ts';
import { SIDES, fresh, begin } from './told.ts';

export function parsing(): void {
  const JSON_LAX = [
    ['nan', '"a":NaN'],
    ['infinity', '"a":Infinity'],
    ['minus-infinity', '"a":-Infinity'],
    ['raw-tab', '"a":"x\ty"'],
    ['raw-line-feed', '"a":"x\ny"'],
    ['raw-nul', '"a":"x\0y"'],
    ['raw-unit-separator', '"a":"\u001f"'],
    ['raw-tab-in-name', '"a\tb":1'],
    ['plus', '"a":+1'],
    ['leading-zero', '"a":01'],
    ['no-integer-part', '"a":.5'],
    ['no-fraction', '"a":1.'],
    ['hexadecimal', '"a":0x1'],
    ['no-exponent', '"a":1e'],
    ['bad-escape', '"a":"\\x41"'],
    ['short-escape', '"a":"\\u12"'],
    ['bare-name', 'a:1'],
    ['single-quotes', "'a':1"],
    ['comma-in-array', '"a":[1,]'],
    ['line-comment', '"a":1//x\n'],
    ['block-comment', '"a":/**/1'],
    ['python-true', '"a":True'],
    ['undefined', '"a":undefined'],
    ['two-commas', '"a":1,,"b":2'],
    ['no-comma', '"a":1 "b":2'],
    ['no-colon', '"a" 1'],
    ['form-feed', '"a":\f1'],
  ] as const;
  const JSON_FINE = [
    ['1e400', '"a":1e400'],
    ['minus-1e400', '"a":-1e400'],
    ['5000-digits', `"a":${'7'.repeat(5000)}`],
    ['5000-decimals', `"a":0.${'3'.repeat(5000)}`],
    ['tiny', '"a":1e-5000'],
    ['minus-zero', '"a":-0'],
    ['exponent-plus', '"a":1E+2'],
    ['depth-16', `"a":${'['.repeat(15)}${']'.repeat(15)}`],
    ['escaped-nul', '"a":"\\u0000"'],
    ['escaped-pair', '"a":"\\ud83d\\ude00"'],
    ['raw-delete', '"a":"\u007f"'],
    ['line-separator', '"a":"\u2028"'],
    ['constructor', '"constructor":{"name":2}'],
    ['to-json', '"toJSON":null,"toString":1'],
    ['proto-null', '"__proto__":null'],
    ['empty-name', '"":[]'],
    ['many', Array.from({ length: 500 }, (_, i) => `"m${i}":${i}`).join(',')],
    ['looks-like-ours', '"PQ_WEBSOCKET":2,"pq_websocket ":2,"x":{"pq_websocket":2}'],
  ] as const;
  for (const to of SIDES) {
    const hello = (extra: string): string => (to === 'server' ? clientHelloOf({ extra }) : serverHelloOf({ extra }));
    for (const [id, extra] of JSON_LAX)
      begin(fresh(to, `refuses.${id}`, `a hello that JSON does not allow: ${id}`, 'parsing', ['2', '4.1'])).refuses(
        { text: hello(extra) },
        3768,
      );
    for (const [id, extra] of JSON_FINE)
      fresh(to, `ignores.${id}`, `an ignored member: ${id}`, 'parsing', ['2', '4.1', '14'])
        .helloOfPeer({ extra })
        .finished();
    for (const version of ['1.000', '0.1e1', '10.0e-1', '1E0'])
      fresh(to, `version.${version}`, `version written ${version}`, 'version', ['4.1'])
        .helloOfPeer({ version })
        .finished();
    for (const [id, version] of [
      ['1-and-a-bit', '1.0000001'],
      ['minus-one', '-1'],
      ['01', '01'],
      ['plus', '+1'],
      ['one-in-words', 'true'],
      ['object', '{}'],
      ['empty', '""'],
      ['nothing', '[]'],
      ['e5000', '1e5000'],
    ] as const) {
      const text = to === 'server' ? clientHelloOf({ version }) : serverHelloOf({ version });
      begin(fresh(to, `refuses.${id}`, `version ${version}`, 'version', ['4.1'])).refuses({ text }, 3768);
    }
    const { name, value } =
      to === 'server'
        ? { name: 'ml_kem_768_encapsulation_key', value: agreement('ml-kem-768').publicKey }
        : { name: 'ml_kem_768_ciphertext', value: agreement('ml-kem-768').cipherText };
    const text64 = base64(value);
    const spelled = (id: string, title: string, member: string): void => {
      begin(fresh(to, id, title, 'base64', ['2', '4.1'])).refuses(
        { text: `{"pq_websocket":1,"${name}":${member}}` },
        3768,
      );
    };
    spelled('space-within', 'a space within', quoted(`${text64.slice(0, 4)} ${text64.slice(4)}`));
    spelled('tab-after', 'a tab after', quoted(`${text64}\\t`));
    spelled('padding-within', 'padding within', quoted(`${text64.slice(0, 2)}==${text64.slice(4)}`));
    spelled('escaped-nul', 'a NUL after', quoted(`${text64}\\u0000`));
    spelled('full-width', 'a full-width letter', quoted(`\uff21${text64.slice(1)}`));
    spelled('array-of-bytes', 'an array of bytes', `[${[...value.slice(0, 4)].join(',')}]`);
    spelled('twice-the-length', 'twice over', quoted(base64(cat(value, value))));
    begin(fresh(to, 'nested', 'the members in an object within', 'parsing', ['4.1'])).refuses(
      { text: `{"hello":${hello('"a":1')}}` },
      3768,
    );
    begin(fresh(to, 'binary', 'the hello as a binary message', 'parsing', ['4.1'])).refuses(
      { binary: hex(utf8(to === 'server' ? clientHelloOf() : serverHelloOf())) },
      3768,
    );
    begin(fresh(to, 'utf-16', 'the hello as a binary message of UTF-16', 'parsing', ['4.1'])).refuses(
      { binary: hex(new Uint8Array(Buffer.from(hello('"a":1'), 'utf16le'))) },
      3768,
    );
    const fill = (bytes: number): Piece[] => {
      const start = `${hello('').slice(0, -1)},"filling":"`;
      return [
        start,
        { repeat: '👋', times: Math.floor((bytes - start.length - 2) / 4) },
        `${'x'.repeat((bytes - start.length - 2) % 4)}"}`,
      ];
    };
    begin(fresh(to, '16385-utf16', '16,385 bytes, half as many UTF-16 units', 'limit', ['4.1', '16'])).refuses(
      { text: fill(16_385) },
      3768,
    );
    const full = fresh(to, '16384-utf16', '16,384 bytes, half as many UTF-16 units', 'limit', ['4.1', '16']);
    const whole = fill(16_384)
      .map((piece) => (typeof piece === 'string' ? piece : piece.repeat.repeat(piece.times)))
      .join('');
    if (to === 'server') {
      full.agree(whole, serverHelloOf()).step({ start: true });
      full.receive({ text: fill(16_384) }, { sends: [{ text: full.serverHello }, full.own(K.finished, utf8('{}'))] });
    } else {
      full.agree(clientHelloOf(), whole).step({ start: true }, { sends: [{ text: full.clientHello }] });
      full.receive({ text: fill(16_384) });
    }
    full.finished();
  }
  // FIPS 203 section 7.2, coefficient by coefficient
  const key = agreement('ml-kem-768').publicKey;
  const offer = (changed: Uint8Array): string =>
    `{"pq_websocket":1,"ml_kem_768_encapsulation_key":"${base64(changed)}"}`;
  for (const at of [0, 1, 2, 255, 256, 383, 384, 511, 512, 766, 767]) {
    for (const value of at === 384 ? [3329, 3330, 4095] : [3329]) {
      begin(
        fresh('server', `coefficient-${at}-is-${value}`, `coefficient ${at} is ${value}`, 'key check', ['4.1']),
      ).refuses({ text: offer(withCoefficient(key, at, value)) }, 3768);
    }
  }
  let largest = key;
  for (let at = 0; at < 768; at += 1) largest = withCoefficient(largest, at, 3328);
  const most = fresh('server', 'all-3328', 'every coefficient is 3,328, the largest there is', 'key check', ['4.1']);
  const { cipherText, sharedSecret } = KEMS['ml-kem-768'].encapsulate(largest, coinsOf(KEMS['ml-kem-768']));
  most.agree(
    offer(largest),
    `{"pq_websocket":1,"ml_kem_768_ciphertext":"${base64(cipherText)}"}`,
    'ml-kem-768',
    sharedSecret,
  );
  most
    .step({ start: true })
    .receive({ text: most.clientHello }, { sends: [{ text: most.serverHello }, most.own(K.finished, utf8('{}'))] });
  most.finished();
}
