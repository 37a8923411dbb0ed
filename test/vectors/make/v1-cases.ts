/** The cases of v1.json: what an implementation must not do, one failure a case. Section numbers are PROTOCOL.md's. */
import { base64, cat, type Delivered, hex, type Piece, quoted, type Side, utf8, xorAt, zeros } from './bytes.ts';
import { closeContent, context, entry, inner } from './connection.ts';
import { withCoefficient } from './coefficients.ts';
import { agreement, coinsOf, KEMS } from './kems.ts';
import { bound32, documentFor, keyPair, type KeyName, signBy, textForm } from './keys.ts';
import { clientHelloOf, K, serverHelloOf, type Setup, Story } from './story.ts';

const SIDES = ['client', 'server'] as const;
const HINTS = [1001, 1012, 1013, 1014, 3768, 3769, 3770, 3771, 3772, 3773];
const stories: Story[] = [];
const tell = (story: Story): Story => {
  stories.push(story);
  return story;
};
const said = (value: string): Delivered[] => [{ text: value }];

/** Openings that most cases go on from. */
const openings = new Map<string, Story>();
function opening(id: string, to: Side, make: (story: Story) => void, setup: Setup = {}): Story {
  const key = `opening.${id}.${to}`;
  const known = openings.get(key);
  if (known !== undefined) return known;
  const story = tell(new Story(key, `an opening: ${id}`, 'opening', ['3', '4'], to, setup));
  openings.set(key, story);
  make(story);
  return story;
}
const open = (to: Side, setup?: Setup, id = 'open'): Story =>
  opening(id, to, (story) => story.hellos().finished(), setup);
const greeted = (to: Side): Story => opening('hellos', to, (story) => story.hellos());
const from = (base: Story, id: string, title: string, group: string, sections: string[]): Story =>
  tell(base.branch(`${group.replaceAll(' ', '-')}.${base.to}.${id}`, title, group, sections));
const fresh = (to: Side, id: string, title: string, group: string, sections: string[], setup: Setup = {}): Story =>
  tell(new Story(`${group.replaceAll(' ', '-')}.${to}.${id}`, title, group, sections, to, setup));
/** Both ends still talk. */
const goesOn = (story: Story, word = 'still here'): Story =>
  story
    .receive(story.peer(K.text, utf8(word)), { delivers: said(word) })
    .step({ send: { text: word } }, { sends: [story.own(K.text, utf8(word))] });

// ---- 4.1: hellos --------------------------------------------------------------------------------------------

function parsing(): void {
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

/** An end that has been started: a client has sent its hello. */
function begin(story: Story): Story {
  return story.to === 'client'
    ? story.step({ start: true }, { sends: [{ text: clientHelloOf() }] })
    : story.step({ start: true });
}

// ---- 3, 4.2, 4.3: states before Finished --------------------------------------------------------------------

function states(): void {
  for (const to of SIDES) {
    begin(fresh(to, 'frame-for-hello', 'a frame where a hello is due', 'state', ['3', '4.1'])).refuses(
      { binary: hex(zeros(64)) },
      3768,
    );
    for (let kind = 1; kind <= 14; kind += 1) {
      if (kind === K.finished) continue;
      const story = from(
        greeted(to),
        `record-0-kind-${kind}`,
        `record 0 is of kind ${kind}, with content {}`,
        'state',
        ['4.2', '7.2'],
      );
      story.refuses(story.peer(kind, utf8('{}')), 3768);
    }
    for (const kind of [K.text, K.binary, K.batch, K.update, K.close, K.answer]) {
      const content =
        {
          [K.text]: utf8('hi'),
          [K.binary]: zeros(3),
          [K.batch]: cat(entry(1, utf8('a')), entry(1, utf8('b'))),
          [K.close]: closeContent(1000),
          [K.answer]: closeContent(1000),
        }[kind as 1] ?? zeros(0);
      const story = from(greeted(to), `record-0-good-${kind}`, `record 0 is a good record of kind ${kind}`, 'state', [
        '4.2',
        '7.2',
      ]);
      story.refuses(story.peer(kind, content), 3768);
    }
    const padded = from(greeted(to), 'padded-finished', 'Finished is padded', 'padding', ['4.2', '7.3']);
    const message = padded.peer(K.finished, utf8('{}'), 62);
    padded.receive(
      message,
      to === 'client' ? { accepts: true, sends: [padded.own(K.finished, utf8('{}'))] } : { accepts: true },
    );
    goesOn(padded);
    const second = from(greeted(to), 'second-hello', 'the hello once more', 'state', ['3', '17']);
    second.refuses({ text: to === 'server' ? second.clientHello : second.serverHello }, 3768);
    const late = from(open(to), 'hello-when-open', 'the hello once more, when open', 'state', ['17']);
    late.refuses({ text: to === 'server' ? late.clientHello : late.serverHello }, 3772);
    const quiet = begin(
      fresh(to, 'close-before-hello', 'the application closes before a hello has come: no sealed close', 'close', [
        '3',
        '10',
      ]),
    );
    quiet
      .step({ close: { code: 4000, reason: 'bye' } }, { closes: 'no code' })
      .step({ transportClosed: 1005 })
      .sees(1006, '', false);
  }
  const early = from(
    greeted('client'),
    'close-before-finished',
    'the application closes before Finished(server): no sealed close',
    'close',
    ['3.1', '10'],
  );
  early
    .step({ close: { code: 4000 } }, { closes: 'no code' })
    .step({ transportClosed: 1005 })
    .sees(1006, '', false);
  const queued = from(
    greeted('client'),
    'queued',
    'what the application sends before Finished(server) waits',
    'state',
    ['3.1', '4.2'],
  );
  queued.step({ send: { text: 'too early' } });
  const good = queued.peer(K.finished, utf8('{}'));
  queued.receive(good, {
    accepts: true,
    sends: [queued.own(K.finished, utf8('{}')), queued.own(K.text, utf8('too early'))],
  });
  const lost = from(
    greeted('client'),
    'queued-refused',
    'and is never sent where Finished(server) is refused',
    'after failure',
    ['3.1', '10'],
  );
  lost.step({ send: { text: 'too early' } });
  lost.refuses(lost.forged(inner(utf8('{}'), K.finished), { seq: 1 }), 3768);

  // A server that has sent its Finished
  const server = greeted('server');
  const speaks = from(server, 'speaks-first', 'a server may send before Finished(client)', 'state', ['3.2']);
  speaks.step({ send: { text: 'welcome' } }, { sends: [speaks.own(K.text, utf8('welcome'))] });
  speaks.finished();
  goesOn(speaks);
  const phase = from(server, 'phase', 'a server that has sent is still in the first phase: 3768', 'state', ['10']);
  phase.step({ send: { text: 'welcome' } }, { sends: [phase.own(K.text, utf8('welcome'))] });
  phase.refuses(phase.forged(inner(utf8('x'), K.text), { seq: 0 }), 3768);
  const closing = (id: string, title: string): Story => {
    const story = from(server, id, title, 'close', ['3.2', '9']);
    return story.step(
      { close: { code: 4000, reason: 'full' } },
      { sends: [story.own(K.close, closeContent(4000, 'full'))] },
    );
  };
  const confirmed = closing(
    'unconfirmed',
    'a server closes right after its Finished: Finished(client) first, then the answer',
  );
  confirmed.receive(confirmed.peer(K.finished, utf8('{}')), { accepts: true });
  confirmed.receive(confirmed.peer(K.text, utf8('discarded')));
  confirmed.receive(confirmed.peer(K.answer, closeContent(4000, 'full')), { closes: 1000 });
  confirmed.step({ transportClosed: 1000 }).sees(4000, 'full', true);
  const hasty = closing('unconfirmed-answer', 'the answer without Finished(client)');
  hasty.refuses(hasty.peer(K.answer, closeContent(4000, 'full')), 3768);
  const slow = closing('unconfirmed-timeout', "the handshake's timer goes on");
  slow.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
  const mute = closing('unconfirmed-send', 'nothing is sent after a close');
  mute.step({ send: { text: 'more' } });

  // A server that is signing
  const signing: Setup = { identity: 'identity', held: ['sign'] };
  for (const [id, make] of [
    ['hello', () => ({ text: clientHelloOf() })],
    ['text', () => ({ text: '{}' })],
    ['frame', () => ({ binary: hex(zeros(40)) })],
  ] as const) {
    const story = fresh(
      'server',
      `replying-${id}`,
      `a ${id} while the server makes its reply`,
      'state',
      ['3.2', '17'],
      signing,
    ).step({ start: true });
    story.agree(clientHelloOf(), serverHelloOf()).receive({ text: story.clientHello });
    story.refuses(make(), 3768);
    story.step({ finish: 'sign', result: 'ok' });
  }
  const fails = fresh(
    'server',
    'signer-fails',
    'its signer fails: neither hello nor Finished is sent',
    'authentication',
    ['4.2'],
    signing,
  ).step({ start: true });
  fails
    .receive({ text: clientHelloOf() })
    .step({ finish: 'sign', result: 'refused' }, { fails: 3770 })
    .sees(3770, '', false);
  const gone = fresh('server', 'replying-close', 'the application closes meanwhile', 'close', ['3.2'], signing).step({
    start: true,
  });
  gone
    .receive({ text: clientHelloOf() })
    .step({ close: { code: 4000 } }, { closes: 'no code' })
    .step({ finish: 'sign', result: 'ok' });
  gone.step({ transportClosed: 1005 }).sees(1006, '', false);

  // A client that is verifying
  const verifying = opening(
    'verifying',
    'client',
    (story) => {
      story.hellos();
      story.receive(story.peer(K.finished, utf8(signedContent(story, 'identity'))));
    },
    { pins: ['identity'], held: ['verify'] },
  );
  const waits = from(
    verifying,
    'verifying-waits',
    'what arrives while the client verifies is delivered after, in order',
    'state',
    ['3.1'],
  );
  waits.receive(waits.peer(K.text, utf8('one'))).receive(waits.peer(K.text, utf8('two')));
  waits.step(
    { finish: 'verify', result: 'ok' },
    { accepts: true, sends: [waits.own(K.finished, utf8('{}'))], delivers: [...said('one'), ...said('two')] },
  );
  const refused = from(verifying, 'verifying-refused', 'and never where the verification fails', 'after failure', [
    '3.1',
    '10',
  ]);
  refused
    .receive(refused.peer(K.text, utf8('one')))
    .step({ finish: 'verify', result: 'refused' }, { fails: 3770 })
    .sees(3770, '', false);
  const bad = from(verifying, 'verifying-bad', 'a bad frame that waited is judged by the rules of open', 'state', [
    '3.1',
    '10',
  ]);
  bad.receive(bad.forged(inner(utf8('x'), K.text), { seq: 9 }));
  bad
    .step({ finish: 'verify', result: 'ok' }, { accepts: true, sends: [bad.own(K.finished, utf8('{}'))], fails: 3771 })
    .sees(3771, '', false);
  const textual = from(verifying, 'verifying-text', 'a text message that waited too', 'state', ['3.1', '10']);
  textual.receive({ text: 'hello' });
  textual
    .step(
      { finish: 'verify', result: 'ok' },
      { accepts: true, sends: [textual.own(K.finished, utf8('{}'))], fails: 3772 },
    )
    .sees(3772, '', false);
  for (const code of [1000, 1001]) {
    const cut = from(
      verifying,
      `verifying-transport-${code}`,
      `the transport closes with ${code} meanwhile: nothing that waits is delivered`,
      'transport close',
      ['3.1', '9'],
    );
    cut
      .receive(cut.peer(K.text, utf8('one')))
      .step({ transportClosed: code })
      .step({ finish: 'verify', result: 'ok' });
    cut.sees(code === 1000 ? 1006 : code, '', false);
  }
  const shut = from(verifying, 'verifying-close', 'the application closes meanwhile: no sealed close', 'close', [
    '3.1',
    '10',
  ]);
  shut.step({ close: { code: 4000 } }, { closes: 'no code' }).step({ finish: 'verify', result: 'ok' });
  shut.step({ transportClosed: 1005 }).sees(1006, '', false);
  const slowly = from(verifying, 'verifying-timeout', 'the verification takes too long', 'timer', ['4.3']);
  slowly.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);

  // 4.3: timers
  for (const to of SIDES) {
    const hello = begin(fresh(to, 'no-hello', 'no hello within 10 s', 'timer', ['4.3']));
    hello.step({ advance: 9_999 }).step({ advance: 1 }, { fails: 3769 }).sees(3769, '', false);
    const finished = from(greeted(to), 'no-finished', 'no Finished within 10 s of the beginning', 'timer', ['4.3']);
    finished.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
    const idle = from(open(to), 'idle', 'an open connection may be idle for a day', 'timer', ['4.3', '8']);
    idle.step({ advance: 86_400_000 });
    idle.receive(idle.peer(K.text, utf8('hello')), { delivers: said('hello') });
  }
}

// ---- 11, 12: authentication ---------------------------------------------------------------------------------

const signature64 = (th: Uint8Array, by: KeyName, label = 'server identity'): string =>
  base64(signBy(by, bound32(label, th)));
const signedContent = ({ th }: Story, by: KeyName, key?: KeyName): string =>
  `{"ml_dsa_65_signature":"${signature64(th, by)}"${key === undefined ? '' : `,"ml_dsa_65_public_key":"${base64(keyPair(key).publicKey)}"`}}`;

function authentication(): void {
  const judge = (
    id: string,
    title: string,
    setup: Setup,
    content: (story: Story) => string,
    accepted: boolean,
    sections = ['11'],
  ): void => {
    const story = fresh('client', id, title, 'authentication', ['4.2', ...sections], setup).hellos();
    const message = story.peer(K.finished, utf8(content(story)));
    if (accepted) goesOn(story.receive(message, { accepts: true, sends: [story.own(K.finished, utf8('{}'))] }));
    else story.refuses(message, 3770);
  };
  const raw: Setup = { pins: ['identity'] };
  const print: Setup = { fingerprints: ['identity'] };
  const mixed: Setup = { pins: ['identity'], fingerprints: ['stranger'] };
  const with_ = (story: Story, by: KeyName, key: string): string =>
    `${signedContent(story, by).slice(0, -1)},"ml_dsa_65_public_key":${key}}`;
  for (const [id, value] of [
    ['null', 'null'],
    ['number', '7'],
    ['object', '{}'],
    ['empty', '""'],
    ['not-base64', '"*"'],
    ['short', '"AAAA"'],
    ['stranger', quoted(base64(keyPair('stranger').publicKey))],
  ] as const) {
    judge(
      `raw.key-${id}`,
      `a raw key is pinned: ml_dsa_65_public_key is ignored, here ${id}`,
      raw,
      (story) => with_(story, 'identity', value),
      true,
    );
    judge(
      `fingerprint.key-${id}`,
      `a fingerprint is pinned: ml_dsa_65_public_key is ${id}`,
      print,
      (story) => with_(story, 'identity', value),
      false,
    );
  }
  judge(
    'raw.stranger-sends-key',
    'a raw key is pinned: another key signs, and is sent',
    raw,
    (story) => signedContent(story, 'stranger', 'stranger'),
    false,
  );
  judge(
    'fingerprint.accepted',
    'a fingerprint is pinned: its key is sent and verifies',
    print,
    (story) => signedContent(story, 'identity', 'identity'),
    true,
  );
  judge(
    'fingerprint.no-key',
    'a fingerprint is pinned: no key',
    print,
    (story) => signedContent(story, 'identity'),
    false,
  );
  judge(
    'fingerprint.no-signature',
    'a fingerprint is pinned: its key, and no signature',
    print,
    () => `{"ml_dsa_65_public_key":"${base64(keyPair('identity').publicKey)}"}`,
    false,
  );
  judge(
    'fingerprint.stranger',
    'a fingerprint is pinned: another key is sent and verifies',
    print,
    (story) => signedContent(story, 'stranger', 'stranger'),
    false,
  );
  judge(
    'fingerprint.wrong-signer',
    'a fingerprint is pinned: its key is sent, another one signed',
    print,
    (story) => signedContent(story, 'stranger', 'identity'),
    false,
  );
  judge(
    'fingerprint.key-long',
    'a fingerprint is pinned: its key and a byte more',
    print,
    (story) => with_(story, 'identity', quoted(base64(cat(keyPair('identity').publicKey, zeros(1))))),
    false,
  );
  judge(
    'fingerprint.key-unpadded',
    'a fingerprint is pinned: its key in base64 that is not canonical',
    print,
    (story) => with_(story, 'identity', quoted(`${base64(keyPair('identity').publicKey)}=`)),
    false,
  );
  judge(
    'mixed.raw',
    'raw key and fingerprint of another: the raw one signs, no key sent',
    mixed,
    (story) => signedContent(story, 'identity'),
    true,
  );
  judge(
    'mixed.raw-with-null',
    'raw key and fingerprint of another: the raw one signs, key null',
    mixed,
    (story) => with_(story, 'identity', 'null'),
    true,
  );
  judge(
    'mixed.fingerprint',
    'raw key and fingerprint of another: the other one signs and is sent',
    mixed,
    (story) => signedContent(story, 'stranger', 'stranger'),
    true,
  );
  judge(
    'mixed.fingerprint-no-key',
    'raw key and fingerprint of another: the other one signs and is not sent',
    mixed,
    (story) => signedContent(story, 'stranger'),
    false,
  );
  judge(
    'mixed.third',
    'raw key and fingerprint of another: a third one signs and is sent',
    mixed,
    (story) => signedContent(story, 'client', 'client'),
    false,
  );
  judge(
    'two-fingerprints',
    'the second of two fingerprints',
    { fingerprints: ['stranger', 'identity'] },
    (story) => signedContent(story, 'identity', 'identity'),
    true,
  );
  judge(
    'unasked',
    'nobody is pinned: signature and key are ignored, whatever they are',
    {},
    () => '{"ml_dsa_65_signature":[],"ml_dsa_65_public_key":false,"attestation_doc":{}}',
    true,
  );
  const sign = (id: string, title: string, make: (story: Story) => Uint8Array): void =>
    judge(`signature.${id}`, title, raw, (story) => `{"ml_dsa_65_signature":"${base64(make(story))}"}`, false);
  sign('client-label', "the client's label", ({ th }) => signBy('identity', bound32('client identity', th)));
  sign('exchange-label', "the exchange's label", ({ th }) =>
    signBy('identity', bound32('exchange server identity', th)),
  );
  sign('attestation-label', "the attestation's label", ({ th }) => signBy('identity', bound32('attestation', th)));
  sign('no-zero-byte', 'no zero byte after the label', ({ th }) =>
    signBy('identity', cat(utf8('pq-websocket/1 server identity'), th)),
  );
  sign('hex', 'over th in hexadecimal', ({ th }) => signBy('identity', textForm('server identity', th)));
  sign('flipped-th', 'over a transcript that differs in a bit', ({ th }) =>
    signBy('identity', bound32('server identity', xorAt(th, 31, 1))),
  );
  sign('long', 'a byte too long', ({ th }) => cat(signBy('identity', bound32('server identity', th)), zeros(1)));
  sign('context', 'with a context', ({ th }) => signBy('identity', bound32('server identity', th), utf8('x')));
  sign('zeros', 'all zero', () => zeros(3309));
  for (const [id, value] of [
    ['number', '1'],
    ['array', '[]'],
    ['object', '{}'],
    ['true', 'true'],
  ] as const)
    judge(`signature.${id}`, `the signature is ${value}`, raw, () => `{"ml_dsa_65_signature":${value}}`, false);

  const attested: Setup = { verifier: true };
  const both: Setup = { pins: ['identity'], verifier: true };
  const document = (userData: Uint8Array): string => `"attestation_doc":"${base64(documentFor(userData))}"`;
  const due = ({ th }: Story): string => document(bound32('attestation', th));
  const attest = (
    id: string,
    title: string,
    content: (story: Story) => string,
    accepted: boolean,
    setup = attested,
  ): void => judge(`attestation.${id}`, title, setup, content, accepted, ['12']);
  attest('binary', 'a document for th, in the binary form', (story) => `{${due(story)}}`, true);
  attest('text', 'a document for th, in the text form', ({ th }) => `{${document(textForm('attestation', th))}}`, true);
  attest(
    'text-capitals',
    'the text form in capitals',
    ({ th }) => `{${document(utf8(`pq-websocket/1 attestation ${hex(th).toUpperCase()}`))}}`,
    false,
  );
  attest(
    'no-zero-byte',
    'no zero byte after the label',
    ({ th }) => `{${document(cat(utf8('pq-websocket/1 attestation'), th))}}`,
    false,
  );
  attest(
    'exchange-label',
    "the exchange's label",
    ({ th }) => `{${document(bound32('exchange attestation', th))}}`,
    false,
  );
  attest('identity-label', "the identity's label", ({ th }) => `{${document(bound32('server identity', th))}}`, false);
  attest(
    'other-transcript',
    'for another transcript',
    ({ th }) => `{${document(bound32('attestation', xorAt(th, 0, 0x80)))}}`,
    false,
  );
  attest('bare-th', 'for th alone', ({ th }) => `{${document(th)}}`, false);
  attest(
    'longer',
    'a byte after what is due',
    ({ th }) => `{${document(cat(bound32('attestation', th), zeros(1)))}}`,
    false,
  );
  attest('missing', 'no document', () => '{}', false);
  attest('signature-instead', 'a signature instead', (story) => signedContent(story, 'identity'), false);
  for (const [id, value] of [
    ['null', 'null'],
    ['empty', '""'],
    ['number', '1'],
    ['array', '[]'],
    ['not-base64', '"*"'],
    ['not-canonical', '"AB=="'],
  ] as const)
    attest(id, `the document is ${value}`, () => `{"attestation_doc":${value}}`, false);
  attest(
    'both.accepted',
    'pin and verifier: both are there',
    (story) => `${signedContent(story, 'identity').slice(0, -1)},${due(story)}}`,
    true,
    both,
  );
  attest(
    'both.signature-alone',
    'pin and verifier: the signature alone',
    (story) => signedContent(story, 'identity'),
    false,
    both,
  );
  attest('both.document-alone', 'pin and verifier: the document alone', (story) => `{${due(story)}}`, false, both);
  attest(
    'both.bad-signature',
    "pin and verifier: a good document, another key's signature",
    (story) => `${signedContent(story, 'stranger').slice(0, -1)},${due(story)}}`,
    false,
    both,
  );
  attest(
    'both.bad-document',
    'pin and verifier: a good signature, a document for another transcript',
    (story) =>
      `${signedContent(story, 'identity').slice(0, -1)},${document(bound32('attestation', xorAt(story.th, 5, 4)))}}`,
    false,
    both,
  );

  for (const setup of [
    { identity: 'identity' },
    { attester: true },
    { identity: 'identity', attester: true },
  ] as Setup[]) {
    const id = Object.keys(setup).join('-and-');
    goesOn(
      fresh(
        'server',
        `sends.${id}`,
        `a server that has ${id} says so in its Finished`,
        'authentication',
        ['4.2', '11', '12'],
        setup,
      )
        .hellos()
        .finished(),
    );
  }
  const ignoring = from(
    greeted('server'),
    'ignores',
    'members in Finished(client) that nobody asked for',
    'authentication',
    ['4.2'],
  );
  ignoring.receive(ignoring.peer(K.finished, utf8('{"ml_dsa_65_signature":null,"attestation_doc":1,"x":[]}')), {
    accepts: true,
  });
  goesOn(ignoring);

  // 5: context
  for (const to of SIDES) {
    const alike = fresh(to, 'alike', 'both ends have the same context', 'context', ['5'], { context: hex(context) })
      .hellos()
      .finished();
    goesOn(alike);
    const one = fresh(to, 'one-sided', 'this end has a context, the other none', 'context', ['5'], {
      context: hex(context),
    }).hellos();
    const without = new Story('', '', '', [], to).agree(one.clientHello, one.serverHello);
    one.refuses(one.forged(inner(utf8('{}'), K.finished), { key: without.directions[one.from].key }), 3768);
    const other = fresh(to, 'another', "the ends' contexts differ", 'context', ['5'], {
      context: hex(context),
    }).hellos();
    const differs = new Story('', '', '', [], to, { context: hex(cat(context, zeros(1))) }).agree(
      other.clientHello,
      other.serverHello,
    );
    other.refuses(other.forged(inner(utf8('{}'), K.finished), { key: differs.directions[other.from].key }), 3768);
  }
}

// ---- 6.1: exporter ------------------------------------------------------------------------------------------

function exporter(): void {
  const label = 'my-app auth';
  const ask = (story: Story, made: boolean): Story =>
    story.step({ export: { label, length: 32 } }, { exports: made ? story.exported(label, 32) : 'throws' });
  for (const to of SIDES) {
    ask(begin(fresh(to, 'before', 'before a key is agreed', 'exporter', ['6.1'])), false);
    ask(
      from(
        greeted(to),
        'greeted',
        to === 'client' ? 'at a client before Finished(server)' : 'at a server that has sent its Finished',
        'exporter',
        ['6.1'],
      ),
      to === 'server',
    );
    const story = from(open(to), 'open', 'when open, and the same after key updates', 'exporter', ['6.1', '8']);
    ask(story, true);
    story.receive(story.peer(K.update));
    ask(story, true);
    const closing = from(open(to), 'close-sent', 'in close sent', 'exporter', ['6.1']);
    closing.step({ close: { code: 4000 } }, { sends: [closing.own(K.close, closeContent(4000))] });
    ask(closing, true);
    const failed = from(open(to), 'failed', 'after a failure', 'exporter', ['6.1', '10']);
    failed.receive({ text: 'x' }, { fails: 3772 });
    ask(failed, false).sees(3772, '', false);
    const ended = from(open(to), 'ended', 'after the end', 'exporter', ['6.1']);
    ended.receive(ended.peer(K.close, closeContent(1000)), {
      sends: [ended.own(K.answer, closeContent(1000))],
      closes: 1000,
    });
    ended.step({ transportClosed: 1000 });
    ask(ended, false).sees(1000, '', true);
    const bounds = from(open(to), 'bounds', 'lengths and labels at their bounds', 'exporter', ['6.1']);
    for (const [name, length, fine] of [
      ['', 1, true],
      ['', 8160, true],
      ['x', 0, false],
      ['x', 8161, false],
      ['\ud800', 32, false],
      ['\u{1f511}', 16, true],
    ] as const) {
      bounds.step({ export: { label: name, length } }, { exports: fine ? bounds.exported(name, length) : 'throws' });
    }
  }
}

export { begin, fresh, from, goesOn, greeted, HINTS, open, opening, said, SIDES, tell };
export function handshakeCases(): Story[] {
  parsing();
  states();
  authentication();
  exporter();
  return stories;
}
