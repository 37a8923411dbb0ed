/** PROTOCOL.md 21: choice of KEM. */
import { sha3_256 } from '@noble/hashes/sha3.js';
import { utf8, base64, cat, zeros, quoted, type Bytes } from '../bytes.ts';
import { inner } from '../connection.ts';
import { withCoefficient } from '../coefficients.ts';
import { KEMS, agreement, type KemName } from '../kems.ts';
import { K, derive, clientHelloOf, serverHelloOf, Story, type Setup, type HelloParts } from '../story.ts';
import { LABEL, hybridParts, combine } from '../hybrid.ts';
import { tell, text, KEM_NAMES, ALL } from './told.ts';

export function kemCases(): void {
  const take = (
    id: string,
    title: string,
    to: 'client' | 'server',
    setup: Setup,
    client: HelloParts,
    server: HelloParts,
  ): Story => {
    const story = tell(new Story(`kem.${id}`, title, 'kem', ['21'], to, setup)).hellos(client, server);
    story.finished();
    return story.receive(story.peer(K.text, utf8('hello')), { delivers: text('hello') });
  };
  for (const name of KEM_NAMES) {
    take(
      `client.${name}`,
      `a client that offers ${name} alone`,
      'client',
      { kems: [name] },
      { kems: [name] },
      { kems: [name] },
    );
    take(
      `server.${name}`,
      `a server that has ${name} alone`,
      'server',
      { kems: [name] },
      { kems: [name] },
      { kems: [name] },
    );
  }
  take(
    'client.answered-second',
    'two offered, the second is taken',
    'client',
    { kems: ['mlkem768-x25519', 'ml-kem-768'] },
    { kems: ['mlkem768-x25519', 'ml-kem-768'] },
    { kems: ['ml-kem-768'] },
  );
  take(
    'server.own-order',
    "the first of the server's own list, not of the client's",
    'server',
    { kems: ALL },
    { kems: ['ml-kem-768', 'ml-kem-1024', 'mlkem768-x25519'] },
    { kems: ['mlkem768-x25519'] },
  );
  take(
    'server.own-order.768-first',
    "the server's order, even where it puts the weakest first",
    'server',
    { kems: ['ml-kem-768', 'ml-kem-1024'] },
    { kems: ['ml-kem-1024', 'ml-kem-768'] },
    { kems: ['ml-kem-768'] },
  );
  take(
    'server.only-common',
    'the only one that both have',
    'server',
    { kems: ALL },
    { kems: ['ml-kem-768'] },
    { kems: ['ml-kem-768'] },
  );
  for (const [id, value] of [
    ['null', 'null'],
    ['number', '7'],
    ['short', '"AAAA"'],
    ['not-base64', '"*"'],
  ] as const) {
    take(
      `server.ignores-unlisted.${id}`,
      `a member for a KEM that is not of the server's list is ignored, here ${value}`,
      'server',
      { kems: ['ml-kem-768'] },
      { extra: `"ml_kem_1024_encapsulation_key":${value}` },
      {},
    );
  }

  const serverRefuses = (id: string, title: string, kems: KemName[], hello: string): void => {
    tell(new Story(`kem.server.refuses.${id}`, title, 'kem', ['21', '4.1'], 'server', { kems }))
      .step({ start: true })
      .refuses({ text: hello }, 3768);
  };
  const key64 = (name: KemName, change: (key: Bytes) => Bytes = (key) => key): string =>
    base64(change(agreement(name).publicKey));
  const offers = (members: [KemName, string][]): string =>
    `{"pq_websocket":1,${members.map(([name, value]) => `"${KEMS[name].keyMember}":${value}`).join(',')}}`;
  serverRefuses(
    'none-in-common',
    "the client offers none of the server's list",
    ['ml-kem-1024', 'mlkem768-x25519'],
    clientHelloOf(),
  );
  serverRefuses('no-kem', 'no KEM is offered', ALL, '{"pq_websocket":1}');
  for (const name of ['mlkem768-x25519', 'ml-kem-1024'] as const) {
    const wrong = (id: string, title: string, value: string): void => {
      serverRefuses(`${name}.${id}`, `${name}: ${title}`, [name], offers([[name, value]]));
      serverRefuses(
        `${name}.${id}.not-taken`,
        `${name}: ${title}, though ML-KEM-768 comes first in the server's list`,
        ['ml-kem-768', name],
        offers([
          ['ml-kem-768', quoted(key64('ml-kem-768'))],
          [name, value],
        ]),
      );
    };
    wrong('null', 'null', 'null');
    wrong('short', 'one byte short', quoted(key64(name, (key) => key.slice(0, -1))));
    wrong('long', 'one byte long', quoted(key64(name, (key) => cat(key, zeros(1)))));
    wrong('of-768', "a key of ML-KEM-768's length", quoted(key64('ml-kem-768')));
    wrong('unpadded', 'base64 that is not canonical', quoted(`${key64(name)}=`));
    const count = name === 'ml-kem-1024' ? 1024 : 768;
    for (const at of [0, count / 2, count - 1])
      wrong(`modulus-${at}`, `coefficient ${at} is q`, quoted(key64(name, (key) => withCoefficient(key, at, 3329))));
  }
  {
    const mixed = cat(
      agreement('mlkem768-x25519').publicKey.slice(1184),
      agreement('mlkem768-x25519').publicKey.slice(0, 1184),
    );
    const hello = offers([['mlkem768-x25519', quoted(base64(mixed))]]);
    serverRefuses(
      'mlkem768-x25519.x-first',
      'X25519 first, as TLS has it not and the hybrid neither: its ML-KEM part fails the modulus check',
      ['mlkem768-x25519'],
      hello,
    );
  }

  const clientRefuses = (id: string, title: string, kems: KemName[], hello: string): void => {
    const story = new Story(`kem.client.refuses.${id}`, title, 'kem', ['21', '4.1'], 'client', { kems });
    // A second ciphertext is one of a KEM that the client knows.
    if (id.startsWith('two')) story.alsoNeeds.push('ml-kem-1024');
    tell(story)
      .step({ start: true }, { sends: [{ text: clientHelloOf({ kems }) }] })
      .refuses({ text: hello }, 3768);
  };
  clientRefuses('none', 'no ciphertext', ALL, '{"pq_websocket":1}');
  clientRefuses(
    'two',
    'two ciphertexts, both offered',
    ['mlkem768-x25519', 'ml-kem-768'],
    serverHelloOf({ kems: ['mlkem768-x25519', 'ml-kem-768'] }),
  );
  clientRefuses(
    'two-one-unoffered',
    'two ciphertexts, the second of a KEM that was not offered',
    ['ml-kem-768'],
    serverHelloOf({ kems: ['ml-kem-768', 'ml-kem-1024'] }),
  );
  clientRefuses(
    'two-one-null',
    'a second ciphertext member that is null',
    ['ml-kem-768'],
    `${serverHelloOf().slice(0, -1)},"ml_kem_1024_ciphertext":null}`,
  );
  clientRefuses(
    'unoffered',
    'the ciphertext of a KEM that was not offered',
    ['ml-kem-768'],
    serverHelloOf({ kems: ['ml-kem-1024'] }),
  );
  clientRefuses(
    'unoffered.weaker',
    'ML-KEM-768 was not offered: the answer of an attacker who would have it so',
    ['mlkem768-x25519'],
    serverHelloOf(),
  );
  for (const name of ['mlkem768-x25519', 'ml-kem-1024'] as const) {
    const value = (change: (bytes: Bytes) => Bytes): string =>
      `{"pq_websocket":1,"${KEMS[name].ciphertextMember}":"${base64(change(agreement(name).cipherText))}"}`;
    clientRefuses(
      `${name}.short`,
      `${name}: ciphertext one byte short`,
      [name],
      value((bytes) => bytes.slice(0, -1)),
    );
    clientRefuses(
      `${name}.long`,
      `${name}: ciphertext one byte long`,
      [name],
      value((bytes) => cat(bytes, zeros(1))),
    );
  }

  // Secrets that are not the hybrid's: the peer's Finished under them must not open.
  const early = (id: string, title: string, ss: Bytes): void => {
    const story = tell(
      new Story(`kem.client.hybrid.${id}`, title, 'kem', ['21'], 'client', { kems: ['mlkem768-x25519'] }),
    );
    story.hellos({ kems: ['mlkem768-x25519'] }, { kems: ['mlkem768-x25519'] });
    story.refuses(story.forged(inner(utf8('{}'), K.finished), { key: derive(ss, story.th, 'server key') }), 3768);
  };
  const { ssM, ssX, ctX, pkX } = hybridParts();
  early('label-first', 'the label first, as in early drafts of X-Wing', sha3_256(cat(LABEL, ssM, ssX, ctX, pkX)));
  early(
    'concatenation',
    'the two secrets one after the other, as TLS has them, cut to 32 bytes',
    cat(ssX, ssM).slice(0, 32),
  );
  early('ml-kem-alone', "ML-KEM's secret alone", ssM);
  early('x25519-alone', "X25519's secret alone", ssX);
  early('no-binding', 'without ct_X and pk_X', sha3_256(cat(ssM, ssX, LABEL)));

  {
    const parts = hybridParts(true);
    const hello = `{"pq_websocket":1,"mlkem768_x25519_encapsulation_key":"${base64(cat(parts.ekM, parts.pkX))}"}`;
    const story = tell(
      new Story(
        'kem.server.hybrid.top-bit',
        'the top bit of pk_X is set: no error, X25519 ignores it, and the hash has the byte as it came',
        'kem',
        ['21'],
        'server',
        { kems: ['mlkem768-x25519'] },
      ),
    );
    story.agree(hello, serverHelloOf({ kems: ['mlkem768-x25519'] }), 'mlkem768-x25519', combine(parts));
    story
      .step({ start: true })
      .receive({ text: hello }, { sends: [{ text: story.serverHello }, story.own(K.finished, utf8('{}'))] });
    story.finished();
  }

  // Downgrade: the attacker takes a member out of ClientHello; the server answers another one, under another transcript.
  const story = tell(
    new Story(
      'kem.client.downgrade',
      "an attacker took the stronger KEM out of ClientHello: the server's Finished is over another transcript",
      'kem',
      ['21', '20'],
      'client',
      { kems: ['mlkem768-x25519', 'ml-kem-768'] },
    ),
  );
  story.hellos({ kems: ['mlkem768-x25519', 'ml-kem-768'] }, { kems: ['ml-kem-768'] });
  const stripped = new Story('', '', '', [], 'client').agree(clientHelloOf(), serverHelloOf());
  story.refuses(story.forged(inner(utf8('{}'), K.finished), { key: stripped.directions.server.key }), 3768);
}
