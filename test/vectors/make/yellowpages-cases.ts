/** The cases of yellowpages.json. Section numbers are PROTOCOL.md's. */
import { gcm } from '@noble/ciphers/aes.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64, type Bytes, cat, hex, type Message, quoted, type Side, u64be, utf8, xorAt, zeros } from './bytes.ts';
import { nonce } from './connection.ts';
import { withCoefficient } from './coefficients.ts';
import { agreement } from './kems.ts';
import { documentFor } from './keys.ts';
import { type Outputs, type SentFrame, type Setup, Story } from './story.ts';

const SIDES = ['client', 'server'] as const;
const { publicKey, cipherText, sharedSecret } = agreement('ml-kem-768');
const YP: Setup = { profile: 'yellowpages' };
/** The code of the end under test for what a client calls `code`. */
const codeOf = (to: Side, code: number): number => (to === 'client' || code === 4000 || code === 1011 ? code : 1008);
const stories: Story[] = [];

class YpStory extends Story {
  sent = 0;
  got = 0;

  frame(content: Bytes, iv = nonce(this.from === 'client' ? 'clnt' : 'srvr', this.got++), aad?: Bytes): Message {
    return { binary: hex(cat(iv, gcm(sharedSecret, iv, aad).encrypt(content))) };
  }

  mine(content: Bytes): SentFrame {
    const iv = nonce(this.to === 'client' ? 'clnt' : 'srvr', this.sent++);
    return { frame: hex(cat(iv, gcm(sharedSecret, iv).encrypt(content))), plaintext: hex(content) };
  }

  fork(id: string, title: string, sections: string[]): YpStory {
    const story = new YpStory(id, title, 'yellowpages', sections, this.to, this.setup);
    story.after = this.id;
    story.sent = this.sent;
    story.got = this.got;
    stories.push(story);
    return story;
  }
}

const clientHello = (extra = ''): string => `{"ml_kem_768_encapsulation_key":"${base64(publicKey)}"${extra}}`;
const userData = (ciphertext: Bytes): Bytes =>
  utf8(Buffer.from(`{"ml_kem_768_ciphertext_hash":"${base64(sha256(ciphertext))}"}`).toString('base64'));
const attested = (data: Bytes): string => `,"auth_attestation_doc":"${base64(documentFor(data))}"`;
const serverHello = (extra = ''): string => `{"ml_kem_768_ciphertext":"${base64(cipherText)}"${extra}}`;
const helloTo = (to: Side, extra = ''): string => (to === 'server' ? clientHello(extra) : serverHello(extra));

function fresh(to: Side, id: string, title: string, setup: Setup = YP, sections = ['15.3']): YpStory {
  const story = new YpStory(`yellowpages.${to}.${id}`, title, 'yellowpages', sections, to, setup);
  stories.push(story);
  story.step({ start: true }, to === 'client' ? { sends: [{ text: clientHello() }] } : {});
  return story;
}
const opens = (story: YpStory, hello = helloTo(story.to), more: Outputs = {}): YpStory => {
  story.receive(
    { text: hello },
    { accepts: true, ...(story.to === 'server' ? { sends: [{ text: serverHello() }] } : {}), ...more },
  );
  return story;
};
const refuses = (story: YpStory, message: Message, code: number): void => {
  story.refuses(message, codeOf(story.to, code));
};
const goesOn = (story: YpStory): YpStory => {
  story.receive(story.frame(utf8('hello')), { delivers: [{ binary: hex(utf8('hello')) }] });
  story.step({ send: { text: 'grüße' } }, { sends: [story.mine(utf8('grüße'))] });
  return story;
};

function hellos(): void {
  for (const to of SIDES) {
    const { name, value } =
      to === 'server'
        ? { name: 'ml_kem_768_encapsulation_key', value: publicKey }
        : { name: 'ml_kem_768_ciphertext', value: cipherText };
    for (const [id, extra] of [
      ['nan', ',"a":NaN'],
      ['raw-tab', ',"a":"\t"'],
      ['comma', ',"a":[1,]'],
      ['leading-zero', ',"a":01'],
      ['comment', '/**/'],
      ['trailing-comma', ','],
    ] as const)
      refuses(
        fresh(to, `refuses.${id}`, `a hello that JSON does not allow: ${id}`),
        { text: helloTo(to, extra) },
        3768,
      );
    for (const [id, extra] of [
      ['1e400', ',"a":1e400'],
      ['5000-digits', `,"a":${'9'.repeat(5000)}`],
      ['deep', `,"a":${'['.repeat(15)}${']'.repeat(15)}`],
      ['proto', ',"__proto__":{"pq_websocket":1}'],
      ['grease', ',"grease_x":null'],
    ] as const)
      goesOn(opens(fresh(to, `ignores.${id}`, `an ignored member: ${id}`), helloTo(to, extra)));
    const text64 = base64(value);
    for (const [id, member] of [
      ['space', quoted(`${text64} `)],
      ['twice', quoted(base64(cat(value, value)))],
      ['url-safe', quoted(text64.replaceAll('+', '-').replaceAll('/', '_'))],
      ['object', '{}'],
      ['true', 'true'],
    ] as const)
      refuses(
        fresh(to, `base64.${id}`, `the member is no canonical base64: ${id}`),
        { text: `{"${name}":${member}}` },
        3768,
      );
    for (const version of ['1', '2', 'null', '"1"'])
      refuses(
        fresh(
          to,
          `pq_websocket-${version.replaceAll('"', 'q')}`,
          `a member pq_websocket of value ${version}, to an end that speaks yellowpages alone`,
          YP,
          ['15.1'],
        ),
        { text: helloTo(to, `,"pq_websocket":${version}`) },
        3768,
      );
    refuses(fresh(to, 'binary', 'a binary message for a hello'), { binary: hex(utf8(helloTo(to))) }, 3768);
    const limit = to === 'server' ? 16_384 : 65_536;
    const filled = (bytes: number): Message => {
      const start = `${helloTo(to).slice(0, -1)},"filling":"`;
      return { text: [start, { repeat: 'x', times: bytes - start.length - 2 }, '"}'] };
    };
    refuses(fresh(to, 'hello-too-long', `a hello of ${limit + 1} bytes`), filled(limit + 1), 3768);
    const most = fresh(to, 'hello-longest', `a hello of ${limit} bytes`);
    most.receive(filled(limit), { accepts: true, ...(to === 'server' ? { sends: [{ text: serverHello() }] } : {}) });
    goesOn(most);
    const slow = fresh(to, 'no-hello', 'no hello within 30 s', YP, ['15.2']);
    slow.step({ advance: 29_999 }).step({ advance: 1 }, { fails: 4000 }).sees(4000, '', false);
    const idle = opens(fresh(to, 'idle', 'an open connection may be idle', YP, ['15.2']));
    idle.step({ advance: 3_600_000 });
    goesOn(idle);
    const shut = fresh(to, 'close-before-open', 'close() before open', YP, ['15.2']);
    shut
      .step({ close: { code: 4001 } }, { closes: 'no code' })
      .step({ transportClosed: 1005 })
      .sees(1006, '', false);
    const queued = fresh(to, 'queued', 'what is sent before open waits', YP, ['15.2']);
    queued.step({ send: { text: 'early' } });
    const sends = [...(to === 'server' ? [{ text: serverHello() }] : []), queued.mine(utf8('early'))];
    queued.receive({ text: helloTo(to) }, { accepts: true, sends });
  }
  for (const at of [0, 383, 384, 767])
    refuses(
      fresh('server', `coefficient-${at}`, `coefficient ${at} is q`),
      { text: `{"ml_kem_768_encapsulation_key":"${base64(withCoefficient(publicKey, at, 3329))}"}` },
      3768,
    );

  // Attestation
  const verifies: Setup = { ...YP, verifier: true };
  opens(fresh('client', 'attested', 'the document is accepted', verifies), serverHello(attested(userData(cipherText))));
  const judge = (id: string, title: string, extra: string): void =>
    refuses(
      fresh('client', `attestation.${id}`, title, verifies, ['15.3', '15.4']),
      { text: serverHello(extra) },
      3770,
    );
  judge('missing', 'no document', '');
  judge('null', 'the document is null', ',"auth_attestation_doc":null');
  judge('not-canonical', 'the document is no canonical base64', ',"auth_attestation_doc":"AB=="');
  judge('other-ciphertext', 'a document for another ciphertext', attested(userData(xorAt(cipherText, 0, 1))));
  judge('hash-alone', 'a document for the bare hash', attested(sha256(cipherText)));
  judge(
    'json',
    'a document for the JSON itself, not its base64',
    attested(utf8(`{"ml_kem_768_ciphertext_hash":"${base64(sha256(cipherText))}"}`)),
  );
  judge('key', "a document for the key's hash", attested(userData(publicKey)));
  judge('v1-member', "v1's member name", attested(userData(cipherText)).replace('auth_', ''));
  goesOn(
    opens(
      fresh('client', 'attestation.unasked', 'no verifier: the member is ignored whatever it is'),
      serverHello(',"auth_attestation_doc":7'),
    ),
  );
  const made = fresh('server', 'attests', 'a server that attests', { ...YP, attester: true });
  made.receive(
    { text: clientHello() },
    { accepts: true, sends: [{ text: serverHello(attested(userData(cipherText))) }] },
  );
  const held = (id: string, title: string): YpStory =>
    fresh('client', id, title, { ...verifies, held: ['verify'] }, ['15.2']);
  const waits = held('verifying-waits', 'what arrives in verifying waits');
  waits.receive({ text: serverHello(attested(userData(cipherText))) }).receive(waits.frame(utf8('early')));
  waits.step({ finish: 'verify', result: 'ok' }, { accepts: true, delivers: [{ binary: hex(utf8('early')) }] });
  const bad = held('verifying-refused', 'and is never delivered where the document is refused');
  bad.receive({ text: serverHello(attested(userData(cipherText))) }).receive(bad.frame(utf8('early')));
  bad.step({ finish: 'verify', result: 'refused' }, { fails: 3770 }).sees(3770, '', false);
  const long = held('verifying-timeout', 'the verification takes too long');
  long
    .receive({ text: serverHello(attested(userData(cipherText))) })
    .step({ advance: 30_000 }, { fails: 4000 })
    .sees(4000, '', false);
  const cut = held('verifying-gone', 'the transport closes with 1000 meanwhile: not clean');
  cut.receive({ text: serverHello(attested(userData(cipherText))) }).receive(cut.frame(utf8('early')));
  cut.step({ transportClosed: 1000 }).step({ finish: 'verify', result: 'ok' }).sees(1000, '', false);
  const signs = (id: string, title: string): YpStory =>
    fresh('server', id, title, { ...YP, attester: true, held: ['sign'] }, ['15.2']);
  const fails = signs('attester-fails', 'the server could not attest');
  fails
    .receive({ text: clientHello() })
    .step({ finish: 'sign', result: 'refused' }, { fails: 1011 })
    .sees(1011, '', false);
  const replying = signs('replying', 'a message while the server makes its reply');
  replying.receive({ text: clientHello() });
  refuses(replying, { text: clientHello() }, 3768);
  const slowly = signs('attester-slow', 'the server takes too long, its second step');
  slowly
    .step({ advance: 29_000 })
    .receive({ text: clientHello() })
    .step({ advance: 29_999 })
    .step({ advance: 1 }, { fails: 4000 })
    .sees(4000, '', false);
}

function frames(): void {
  for (const to of SIDES) {
    const base = opens(fresh(to, 'opening', 'an open connection'));
    const at = (id: string, title: string, sections = ['15.3']): YpStory =>
      base.fork(`yellowpages.${to}.${id}`, title, sections);
    goesOn(goesOn(at('talks', 'frames both ways: text arrives as binary')));
    const empty = at('empty', 'an empty message, 28 bytes');
    empty.receive(empty.frame(zeros(0)), { delivers: [{ binary: '' }] });
    const zero = at('zeros', 'zeros, which are not padding');
    zero.receive(zero.frame(zeros(5)), { delivers: [{ binary: '0000000000' }] });
    const free = at('reordered', 'frames in another order, and one left out: the profile has no count');
    const one = free.frame(utf8('one'));
    free.frame(utf8('left out'));
    const three = free.frame(utf8('three'));
    free
      .receive(three, { delivers: [{ binary: hex(utf8('three')) }] })
      .receive(one, { delivers: [{ binary: hex(utf8('one')) }] });
    const judge = (id: string, title: string, make: (story: YpStory) => Message, code: number): void => {
      const story = at(id, title, ['15.3', '15.4']);
      refuses(story, make(story), code);
    };
    judge('text', 'a text message', () => ({ text: '' }), 3772);
    judge('short', '27 bytes', () => ({ binary: hex(zeros(27)) }), 3771);
    judge('aad', 'with additional data', (story) => story.frame(utf8('x'), undefined, u64be(0)), 3771);
    judge('kind', 'a frame of zeros', () => ({ binary: hex(zeros(60)) }), 3771);
    const replay = at('replay', 'a frame replayed after another one', ['15.3']);
    const first = replay.frame(utf8('one'));
    replay.receive(first, { delivers: [{ binary: hex(utf8('one')) }] });
    goesOn(replay);
    refuses(replay, first, 3771);
    const again = at('nonce-again', 'a nonce received before, over another text', ['15.3']);
    goesOn(again);
    refuses(again, again.frame(utf8('other'), nonce(again.from === 'client' ? 'clnt' : 'srvr', 0)), 3771);
    const mirror = at('reflected', "one's own frame comes back", ['15.3']);
    const mine = mirror.mine(utf8('mine'));
    mirror.step({ send: { text: 'mine' } }, { sends: [mine] });
    refuses(mirror, { binary: mine.frame }, 3771);
    const forgedNonce = at('own-nonce', 'a nonce that this end has sent, over another text', ['15.3']);
    forgedNonce.step({ send: { text: 'mine' } }, { sends: [forgedNonce.mine(utf8('mine'))] });
    refuses(forgedNonce, forgedNonce.frame(utf8('x'), nonce(to === 'client' ? 'clnt' : 'srvr', 0)), 3771);
    const small = opens(fresh(to, 'opening-max-10', 'maxPayload 10', { ...YP, maxPayload: 10 }));
    const fits = small.fork(`yellowpages.${to}.max-10`, 'maxPayload 10: 10 bytes', ['15.3']);
    fits.receive(fits.frame(zeros(10)), { delivers: [{ binary: '00'.repeat(10) }] });
    const over = small.fork(`yellowpages.${to}.over-10`, 'maxPayload 10: 11 bytes', ['15.3']);
    refuses(over, over.frame(zeros(11)), 3773);
    const unsealed = small.fork(
      `yellowpages.${to}.over-10-unsealed`,
      'maxPayload 10: 11 bytes that would not open: the length comes first',
      ['15.3'],
    );
    refuses(unsealed, { binary: hex(zeros(39)) }, 3773);
    const few = opens(fresh(to, 'opening-frames-3', 'three frames a connection', { ...YP, frames: 3 }));
    const three3 = few.fork(
      `yellowpages.${to}.frames-3`,
      'three frames, both directions together; the fourth that arrives',
      ['15.3'],
    );
    goesOn(three3);
    three3.receive(three3.frame(utf8('third')), { delivers: [{ binary: hex(utf8('third')) }] });
    refuses(three3, three3.frame(utf8('fourth')), 3773);
    const sends4 = few.fork(`yellowpages.${to}.frames-3-send`, 'three frames; this end would send the fourth', [
      '15.3',
    ]);
    goesOn(sends4);
    sends4.receive(sends4.frame(utf8('third')), { delivers: [{ binary: hex(utf8('third')) }] });
    sends4.step({ send: { text: 'fourth' } }, { fails: codeOf(to, 3773) }).sees(codeOf(to, 3773), '', false);
    const dead = at('after-failure', 'nothing is delivered or sent after a failure', ['15.4']);
    const good = dead.frame(utf8('good'));
    dead
      .receive({ binary: hex(zeros(30)) }, { fails: codeOf(to, 3771) })
      .receive(good)
      .step({ send: { text: 'more' } });
    dead.step({ transportClosed: 1000 }).sees(codeOf(to, 3771), '', false);
    for (const code of [1000, 1001, 1008, 1011, 3767, 3774, 4000, 4999])
      at(`closes-${code}`, `the transport closes with ${code}: it passes through`, ['15.4'])
        .step({ transportClosed: code, reason: 'as it came' })
        .sees(code, 'as it came', true);
    for (const code of [1006, 3768, 3771, 3773])
      at(`closes-${code}`, `the transport closes with ${code}: not clean`, ['15.4'])
        .step({ transportClosed: code })
        .sees(code, '', false);
    const own = at('closes-itself', 'this end closes: the transport is closed with its code', ['15.4']);
    own
      .step({ close: { code: 4001, reason: 'done' } }, { closes: 4001 })
      .step({ send: { text: 'more' } })
      .receive(own.frame(utf8('late')));
    own.sees(4001, 'done', true);
    const early = fresh(to, 'gone-before-open', 'the transport closes with 1000 before open: not clean', YP, ['15.4']);
    early.step({ transportClosed: 1000 }).sees(1000, '', false);
  }
}

/** 15.1: a server of both. */
function both(): void {
  const setup: Setup = { profile: 'both' };
  const server = (id: string, title: string): YpStory => {
    const story = new YpStory(`profile.server.${id}`, title, 'profile', ['15.1'], 'server', setup);
    stories.push(story);
    story.step({ start: true });
    return story;
  };
  goesOn(opens(server('yellowpages', 'its hello leads to yellowpages')));
  const v1 = new Story('profile.server.v1', "v1's hello leads to v1", 'profile', ['15.1'], 'server', setup);
  stories.push(v1);
  v1.hellos().finished();
  const judge = (id: string, title: string, message: Message, code: number): void => {
    server(id, title).refuses(message, code);
  };
  for (const version of ['2', 'null', '"1"', 'false'])
    judge(
      `version-${version.replaceAll('"', 'q')}`,
      `a member pq_websocket of value ${version} is v1's, and refused`,
      { text: clientHello(`,"pq_websocket":${version}`) },
      3768,
    );
  judge('binary', "a binary message is v1's", { binary: hex(utf8(clientHello())) }, 3768);
  judge('not-json', "what is no JSON is v1's", { text: 'hello' }, 3768);
  judge('array', "what is no object is v1's", { text: '[]' }, 3768);
  judge(
    'too-long',
    "a text over 16,384 bytes is v1's",
    { text: [`${clientHello().slice(0, -1)},"a":"`, { repeat: 'x', times: 16_384 }, '"}'] },
    3768,
  );
  judge('empty-object', "an object without the member is yellowpages', however malformed", { text: '{}' }, 1008);
  judge('bad-key', 'likewise', { text: '{"ml_kem_768_encapsulation_key":7}' }, 1008);
  const nothing = server('timeout', "until then it is v1's, with v1's timeout");
  nothing.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
}

export function yellowpagesCases(): object[] {
  hellos();
  frames();
  both();
  return stories.map((story) => story.toCase());
}
