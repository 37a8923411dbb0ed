/** The cases of extensions.json: PROTOCOL.md 21 to 24 and grease, one failure a case. */
import { sha3_256 } from '@noble/hashes/sha3.js';
import {
  type Bytes,
  type Delivered,
  type Message,
  type Piece,
  base64,
  base64url,
  cat,
  hex,
  quoted,
  unhex,
  utf8,
  xorAt,
  zeros,
} from './bytes.ts';
import { agreement, type KemName, KEMS } from './kems.ts';
import { bound32, documentFor, fingerprint, keyPair, type KeyName, signBy, textForm } from './keys.ts';
import {
  type Case,
  clientHelloOf,
  derive,
  type Exchange,
  type HelloParts,
  K,
  serverHelloOf,
  type Setup,
  Story,
} from './story.ts';
import { closeContent, inner } from './connection.ts';
import { combine, hybridParts, LABEL } from './hybrid.ts';
import { withCoefficient } from './coefficients.ts';

const stories: Story[] = [];
const tell = (story: Story): Story => {
  stories.push(story);
  return story;
};
const text = (value: string): Delivered[] => [{ text: value }];
const KEM_NAMES = Object.keys(KEMS) as KemName[];
/** The server's own order where nothing is set. */
const ALL: KemName[] = ['mlkem768-x25519', 'ml-kem-1024', 'ml-kem-768'];

// ---- 21: choice of KEM --------------------------------------------------------------------------------------

function kemCases(): void {
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

// ---- 14: members of features --------------------------------------------------------------------------------

const FEATURES = {
  exchange: { setup: { exchange: true } as Setup, section: '22' },
  client_identity: { setup: { identity: 'client' } as Setup, section: '23' },
  heartbeat: { setup: { heartbeat: true } as Setup, section: '24' },
} as const;
const NEED: Record<keyof typeof FEATURES, string> = {
  exchange: 'exchange',
  client_identity: 'client identity',
  heartbeat: 'heartbeat',
};

function featureCases(): void {
  for (const [member, { setup, section }] of Object.entries(FEATURES) as [
    keyof typeof FEATURES,
    (typeof FEATURES)['exchange'],
  ][]) {
    const sections = ['14', section];
    for (const [id, value] of [
      ['2', '2'],
      ['0', '0'],
      ['null', 'null'],
      ['false', 'false'],
      ['true', 'true'],
      ['string', '"1"'],
      ['array', '[1]'],
      ['huge', '1e400'],
    ] as const) {
      const hello = serverHelloOf({ extra: `"${member}":${value}` });
      tell(
        new Story(
          `feature.${member}.client.refuses.${id}`,
          `${member} answered with ${value}`,
          'feature',
          sections,
          'client',
          setup,
        ),
      )
        .step({ start: true }, { sends: [{ text: clientHelloOf({ features: [member] }) }] })
        .refuses({ text: hello }, 3768);
      const unasked = new Story(
        `feature.${member}.client.refuses.unasked-${id}`,
        `${member}: ${value}, though it was not offered`,
        'feature',
        sections,
        'client',
      );
      unasked.alsoNeeds.push(NEED[member]);
      tell(unasked)
        .step({ start: true }, { sends: [{ text: clientHelloOf() }] })
        .refuses({ text: hello }, 3768);
      if (member === 'client_identity') continue;
      const server = tell(
        new Story(
          `feature.${member}.server.not-offered.${id}`,
          `${member}: ${value} in ClientHello counts as not offered`,
          'feature',
          sections,
          'server',
          setup,
        ),
      );
      server.hellos({ extra: `"${member}":${value}` }, {}).finished();
      server.refuses(
        server.peer(
          member === 'exchange' ? K.offer : K.ping,
          member === 'exchange' ? agreement('ml-kem-768', 1).publicKey : zeros(0),
        ),
        3772,
      );
    }
    const unasked = new Story(
      `feature.${member}.client.refuses.unasked`,
      `${member} answered, though it was not offered`,
      'feature',
      sections,
      'client',
    );
    unasked.alsoNeeds.push(NEED[member]);
    tell(unasked)
      .step({ start: true }, { sends: [{ text: clientHelloOf() }] })
      .refuses({ text: serverHelloOf({ features: [member] }) }, 3768);
    for (const spelling of ['1.0', '1e0', '10E-1']) {
      const story = tell(
        new Story(
          `feature.${member}.client.spelled-${spelling}`,
          `${member} answered with ${spelling}`,
          'feature',
          sections,
          'client',
          setup,
        ),
      );
      story.hellos({ features: [member] }, { extra: `"${member}":${spelling}` }).finished('{}', true);
    }
    const stripped = tell(
      new Story(
        `feature.${member}.client.stripped`,
        `an attacker took ${member} out of ClientHello: the server's Finished is over another transcript`,
        'feature',
        ['14', '5'],
        'client',
        setup,
      ),
    );
    stripped.hellos({ features: [member] }, {});
    const server = new Story('', '', '', [], 'client').agree(clientHelloOf(), serverHelloOf());
    stripped.refuses(stripped.forged(inner(utf8('{}'), K.finished), { key: server.directions.server.key }), 3768);
    const off = tell(
      new Story(
        `feature.${member}.client.not-answered`,
        `${member} offered and not answered: off`,
        'feature',
        sections,
        'client',
        setup,
      ),
    );
    off.hellos({ features: [member] }, {}).finished('{}', false);
    if (member !== 'client_identity') off.refuses(off.peer(member === 'exchange' ? K.wanted : K.ping), 3772);
  }
  for (const kind of [K.wanted, K.offer, K.exchangeAnswer, K.end, K.ping, K.pong]) {
    for (const to of ['client', 'server'] as const) {
      const story = new Story(
        `feature.kind-${kind}.${to}.off`,
        `kind ${kind} without its feature, to the ${to}`,
        'feature',
        ['7.2', '14'],
        to,
      );
      tell(story).hellos().finished();
      story.refuses(story.peer(kind), 3772);
      const early = new Story(
        `feature.kind-${kind}.${to}.record-0`,
        `kind ${kind} in the place of Finished, to the ${to}`,
        'feature',
        ['7.2', '4.2'],
        to,
        { exchange: true, heartbeat: true },
      );
      tell(early).hellos({ features: ['exchange', 'heartbeat'] }, { features: ['exchange', 'heartbeat'] });
      early.refuses(early.peer(kind), 3768);
    }
  }
  for (const [id, value] of [
    ['string', '"x"'],
    ['deep', '[[[{"a":[]}]]]'],
    ['huge', '1e400'],
    ['null', 'null'],
  ] as const) {
    for (const to of ['client', 'server'] as const) {
      const extra = `"grease_q7":${value}`;
      tell(
        new Story(`grease.${to}.${id}`, `a grease member of value ${value}, to the ${to}`, 'grease', ['14', '18'], to),
      )
        .helloOfPeer({ extra })
        .finished();
    }
  }
}

// ---- 22: exchange -------------------------------------------------------------------------------------------

/** An open connection with `exchange`, at either end. */
function opened(
  to: 'client' | 'server',
  id: string,
  setup: Setup = {},
  more: { features?: string[]; peer?: (story: Story) => string; identity?: boolean; kem?: KemName } = {},
): Story {
  const features = ['exchange', ...(more.identity ? ['client_identity'] : []), ...(more.features ?? [])];
  const story = tell(
    new Story(`opening.${id.replace(/[^a-z0-9]+/g, '-')}.${to}`, `an open connection: ${id}`, 'opening', ['22'], to, {
      exchange: true,
      ...setup,
      ...(more.kem ? { kems: [more.kem] } : {}),
    }),
  );
  const kems = more.kem ? { kems: [more.kem] } : {};
  story.hellos({ features, ...kems }, { features, ...kems });
  return story.finished(more.peer?.(story), more.identity ?? false);
}

/** One whole exchange at a client that is told to. */
function clientExchange(story: Story, during: { finished?: string; last?: string } = {}): Exchange {
  const made = story.exchange();
  story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
  return clientAnswered(story, made, during);
}
function clientAnswered(story: Story, made: Exchange, during: { finished?: string; last?: string } = {}): Exchange {
  story.receive(story.peer(K.exchangeAnswer, made.answer));
  story.enter('server', made);
  const finished = story.peer(K.finished, utf8(during.finished ?? '{}'));
  const end = story.own(K.end);
  story.enter('client', made);
  story.receive(finished, {
    sends: [end, story.own(K.finished, utf8(during.last ?? '{}'))],
    exchanged: made.generation,
  });
  return made;
}
function serverOffered(story: Story, finished?: string): Exchange {
  const made = story.exchange();
  const offer = story.peer(K.offer, made.offer);
  const answer = story.own(K.exchangeAnswer, made.answer);
  story.enter('server', made);
  story.receive(offer, { sends: [answer, story.own(K.finished, utf8(finished ?? '{}'))] });
  return made;
}
function serverExchange(story: Story, during: { finished?: string; last?: string } = {}): Exchange {
  const made = serverOffered(story, during.finished);
  story.receive(story.peer(K.end));
  story.enter('client', made);
  story.receive(story.peer(K.finished, utf8(during.last ?? '{}')), { exchanged: made.generation });
  return made;
}
const bothSay = (story: Story, word: string): Story =>
  story
    .receive(story.peer(K.text, utf8(word)), { delivers: text(word) })
    .step({ send: { text: word } }, { sends: [story.own(K.text, utf8(word))] });

function exchangeCases(): void {
  const client = opened('client', 'exchange');
  const server = opened('server', 'exchange');
  const at = (base: Story, id: string, title: string, sections = ['22']): Story =>
    tell(base.branch(`exchange.${base.to}.${id}`, title, 'exchange', sections));

  for (const base of [client, server]) {
    const run = base.to === 'client' ? clientExchange : serverExchange;
    const twice = at(base, 'twice', 'two exchanges, messages before, between and after');
    bothSay(twice, 'zero');
    run(twice);
    bothSay(twice, 'one');
    run(twice);
    bothSay(twice, 'two');
    const updates = at(base, 'updates-after', 'both sides update twice in the new generation: its th is the salt', [
      '22',
      '8',
    ]);
    run(updates);
    updates.receive(updates.peer(K.update));
    bothSay(updates, 'epoch 1');
    updates.receive(updates.peer(K.update));
    bothSay(updates, 'epoch 2');
    const old = at(base, 'old-key-after', "a record under the peer's key of the generation before");
    const { key } = old.directions[old.from];
    run(old);
    old.refuses(old.forged(inner(utf8('late'), K.text), { key }), 3771);
    const reset = at(base, 'seq-from-0', 'seq does not start again with a generation');
    run(reset);
    reset.refuses(reset.forged(inner(utf8('x'), K.text), { seq: 0 }), 3771);
    const closing = at(base, 'close-after', 'a close in the new generation');
    run(closing);
    closing.receive(closing.peer(K.close, closeContent(4001, 'done')), {
      sends: [closing.own(K.answer, closeContent(4001, 'done'))],
      closes: 1000,
    });
    closing.step({ transportClosed: 1000 }).sees(4001, 'done', true);
    const updateFirst = at(base, 'update-before', 'the peer updates in generation 0, then exchanges');
    updateFirst.receive(updateFirst.peer(K.update));
    bothSay(updateFirst, 'epoch 1');
    run(updateFirst);
    bothSay(updateFirst, 'generation 1');
  }
  for (const name of ['mlkem768-x25519', 'ml-kem-1024'] as const) {
    for (const to of ['client', 'server'] as const) {
      const base = opened(to, `exchange under ${name}`, {}, { kem: name });
      const story = at(base, `kem.${name}`, `the exchange uses the KEM of the handshake, ${name}`, ['22', '21']);
      (to === 'client' ? clientExchange : serverExchange)(story);
      bothSay(story, 'after');
    }
  }

  // What goes on meanwhile
  {
    const story = at(client, 'messages-during', 'messages both ways in every state of the exchange');
    const made = story.exchange();
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    bothSay(story, 'offered');
    clientAnswered(story, made);
    bothSay(story, 'done');
  }
  {
    const story = at(
      client,
      'updates-during',
      'the peer updates between offer and answer, and right after its Finished: each with the th of its generation',
      ['22', '8'],
    );
    const made = story.exchange();
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    story.receive(story.peer(K.update));
    story.receive(story.peer(K.exchangeAnswer, made.answer));
    story.enter('server', made);
    const finished = story.peer(K.finished, utf8('{}'));
    const end = story.own(K.end);
    story.enter('client', made);
    story.receive(finished, { sends: [end, story.own(K.finished, utf8('{}'))], exchanged: 1 });
    story.receive(story.peer(K.update));
    bothSay(story, 'epoch 1 of generation 1');
  }
  {
    const story = at(server, 'messages-during', 'messages both ways in every state of the exchange');
    const made = serverOffered(story);
    bothSay(story, 'awaiting end');
    story.receive(story.peer(K.update));
    story.receive(story.peer(K.end));
    story.enter('client', made);
    story.step({ send: { text: 'awaiting Finished' } }, { sends: [story.own(K.text, utf8('awaiting Finished'))] });
    story.receive(story.peer(K.finished, utf8('{}')), { exchanged: 1 });
    story.receive(story.peer(K.update));
    bothSay(story, 'done');
  }
  {
    const story = at(server, 'padded', 'offer, end and Finished padded by the peer');
    const made = story.exchange();
    const offer = story.peer(K.offer, made.offer, 100);
    const answer = story.own(K.exchangeAnswer, made.answer);
    story.enter('server', made);
    story.receive(offer, { sends: [answer, story.own(K.finished, utf8('{}'))] });
    story.receive(story.peer(K.end, zeros(0), 63));
    story.enter('client', made);
    story.receive(story.peer(K.finished, utf8(' {"later":[null]}\n'), 7), { exchanged: 1 });
    bothSay(story, 'done');
  }
  for (const to of ['client', 'server'] as const) {
    const base = opened(to, 'exchange, padded to 64', { padding: 64 });
    const story = at(base, 'pads', 'an end that pads to 64 pads all of its records of an exchange, Finished too', [
      '22',
      '7.3',
    ]);
    const made = story.exchange();
    const pad = (length: number): number => (64 - ((length + 1) % 64)) % 64;
    if (to === 'client') {
      story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer, pad(made.offer.length))] });
      story.receive(story.peer(K.exchangeAnswer, made.answer));
      story.enter('server', made);
      const finished = story.peer(K.finished, utf8('{}'));
      const end = story.own(K.end, zeros(0), 63);
      story.enter('client', made);
      story.receive(finished, { sends: [end, story.own(K.finished, utf8('{}'), 61)], exchanged: 1 });
    } else {
      const offer = story.peer(K.offer, made.offer);
      const answer = story.own(K.exchangeAnswer, made.answer, pad(made.answer.length));
      story.enter('server', made);
      story.receive(offer, { sends: [answer, story.own(K.finished, utf8('{}'), 61)] });
    }
  }

  // When it begins
  {
    const story = at(client, 'wanted', 'the server wants one: the offer answers');
    const made = story.exchange();
    story.receive(story.peer(K.wanted), { sends: [story.own(K.offer, made.offer)] });
    clientAnswered(story, made);
    bothSay(story, 'after');
  }
  {
    const story = at(client, 'wanted-during', 'a wanted that crosses the offer is ignored');
    const made = story.exchange();
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    story.receive(story.peer(K.wanted));
    clientAnswered(story, made);
    bothSay(story, 'after');
  }
  {
    const story = at(client, 'told-during', 'told during an exchange: another one follows it');
    const made = story.exchange();
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    story.step({ exchange: true });
    story.receive(story.peer(K.exchangeAnswer, made.answer));
    story.enter('server', made);
    const finished = story.peer(K.finished, utf8('{}'));
    const end = story.own(K.end);
    story.enter('client', made);
    const last = story.own(K.finished, utf8('{}'));
    const second = story.exchange();
    story.receive(finished, { sends: [end, last, story.own(K.offer, second.offer)], exchanged: 1 });
    clientAnswered(story, second);
  }
  {
    const base = opened('client', 'exchange, each minute', { exchange: { milliseconds: 60_000 } });
    const story = at(base, 'due', 'exchange.milliseconds after the generation began');
    const made = story.exchange();
    story.step({ advance: 59_999 });
    story.step({ advance: 1 }, { sends: [story.own(K.offer, made.offer)] });
    clientAnswered(story, made);
  }
  {
    const story = at(server, 'told', 'a server that is told wants one, once until an offer comes');
    story.step({ exchange: true }, { sends: [story.own(K.wanted)] });
    story.step({ exchange: true });
    serverExchange(story);
  }

  // Time
  {
    const story = at(client, 'timeout.answer', 'no answer within 60 s of the offer');
    story.step({ exchange: true }, { sends: [story.own(K.offer, story.exchange().offer)] });
    story.step({ advance: 59_999 });
    story.step({ advance: 1 }, { fails: 3769 }).sees(3769, '', false);
  }
  {
    const story = at(server, 'timeout.wanted', 'no offer within 60 s of wanted');
    story.step({ exchange: true }, { sends: [story.own(K.wanted)] });
    story.step({ advance: 59_999 });
    story.step({ advance: 1 }, { fails: 3769 }).sees(3769, '', false);
  }
  {
    const story = at(server, 'timeout.end', 'no end within 60 s of Finished(server)');
    serverOffered(story);
    story.step({ advance: 60_000 }, { fails: 3769 }).sees(3769, '', false);
  }
  {
    const story = at(server, 'timeout.none-after', 'a completed exchange leaves no clock running');
    serverExchange(story);
    story.step({ advance: 120_000 });
    bothSay(story, 'still here');
  }

  // What a client refuses
  const offered = at(client, 'offered', 'an offer has gone out');
  const offeredExchange = offered.exchange();
  offered.step({ exchange: true }, { sends: [offered.own(K.offer, offeredExchange.offer)] });
  const answered = tell(offered.branch('exchange.client.answered', 'the answer has come', 'exchange', ['22']));
  answered.receive(answered.peer(K.exchangeAnswer, offeredExchange.answer));
  answered.enter('server', offeredExchange);
  const refuses = (
    base: Story,
    id: string,
    title: string,
    make: (story: Story) => Message,
    code = 3772,
    sections = ['22', '10'],
  ): void => {
    const story = tell(base.branch(`exchange.${base.to}.refuses.${id}`, title, 'exchange', sections));
    story.refuses(make(story), code);
  };
  const answer = offeredExchange.answer;
  refuses(client, 'answer-unasked', 'an answer to no offer', (story) => story.peer(K.exchangeAnswer, answer));
  refuses(client, 'offer', 'an offer by the server', (story) => story.peer(K.offer, offeredExchange.offer));
  refuses(client, 'end', 'end by the server', (story) => story.peer(K.end));
  refuses(client, 'finished', 'Finished without an answer', (story) => story.peer(K.finished, utf8('{}')));
  refuses(client, 'wanted-content', 'wanted with content', (story) => story.peer(K.wanted, zeros(1)));
  refuses(offered, 'answer-short', 'an answer one byte short', (story) =>
    story.peer(K.exchangeAnswer, answer.slice(0, -1)),
  );
  refuses(offered, 'answer-long', 'an answer one byte long', (story) =>
    story.peer(K.exchangeAnswer, cat(answer, zeros(1))),
  );
  refuses(offered, 'answer-empty', 'an empty answer', (story) => story.peer(K.exchangeAnswer));
  refuses(offered, 'answer-base64', 'an answer in base64', (story) =>
    story.peer(K.exchangeAnswer, utf8(base64(answer))),
  );
  refuses(offered, 'finished-before-answer', 'Finished before the answer', (story) =>
    story.peer(K.finished, utf8('{}')),
  );
  refuses(
    answered,
    'finished-old-epoch',
    'Finished under the old epoch',
    (story) => story.forged(inner(utf8('{}'), K.finished), { key: offered.directions.server.key }),
    3771,
  );
  refuses(answered, 'message-first', 'a message before Finished', (story) => story.peer(K.text, utf8('x')));
  refuses(answered, 'update-first', 'a key update before Finished', (story) => story.peer(K.update));
  refuses(answered, 'close-first', 'a close before Finished', (story) => story.peer(K.close, closeContent(1000)));
  refuses(answered, 'second-answer', 'a second answer', (story) => story.peer(K.exchangeAnswer, answer));
  for (const content of ['', '[]', 'null', '{', '{}{}', '\ufeff{}']) {
    refuses(
      answered,
      `finished-${content === '' ? 'empty' : hex(utf8(content))}`,
      `Finished is ${JSON.stringify(content)}`,
      (story) => story.peer(K.finished, utf8(content)),
    );
  }
  const filled = (bytes: number): Piece[] => ['7b2261223a22', { repeat: '78', times: bytes - 8 }, '227d', '06'];
  refuses(answered, 'finished-65537', 'Finished of 65,537 bytes', (story) => story.peerInner(filled(65_537)));
  refuses(
    answered,
    'old-root',
    'keys from the new secret alone, without root',
    (story) => story.forged(inner(utf8('{}'), K.finished), { key: withoutRoot(offered, 'server') }),
    3771,
  );
  refuses(
    answered,
    'old-secret',
    'keys from root alone, without the new secret',
    (story) => story.forged(inner(utf8('{}'), K.finished), { key: withoutSecret(offered, 'server') }),
    3771,
  );
  {
    const wrong = offered.exchange({ answer: xorAt(answer, 0, 1) });
    const story = tell(
      offered.branch(
        'exchange.client.refuses.other-ciphertext',
        'a changed answer: the secret is another, and Finished does not open',
        'exchange',
        ['22', '4.1'],
      ),
    );
    story.receive(story.peer(K.exchangeAnswer, wrong.answer));
    story.enter('server', wrong);
    story.refuses(story.peer(K.finished, utf8('{}')), 3771);
  }
  {
    const story = tell(
      client.branch(
        'exchange.client.update-then-answer',
        'an answer right after a key update: it needs none, and it is a record between',
        'exchange',
        ['22', '8'],
      ),
    );
    const made = story.exchange();
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    story.receive(story.peer(K.update));
    clientAnswered(story, made);
    story.receive(story.peer(K.update));
    story.refuses(story.peer(K.update), 3772);
  }

  // What a server refuses
  const offer = agreement('ml-kem-768', 1).publicKey;
  const awaitingEnd = at(server, 'awaiting-end', 'answer and Finished(server) have gone out');
  const endExchange = serverOffered(awaitingEnd);
  const awaitingFinished = tell(
    awaitingEnd.branch('exchange.server.awaiting-finished', 'end has come', 'exchange', ['22']),
  );
  awaitingFinished.receive(awaitingFinished.peer(K.end));
  awaitingFinished.enter('client', endExchange);
  refuses(server, 'wanted', 'wanted by the client', (story) => story.peer(K.wanted));
  refuses(server, 'answer', 'an answer by the client', (story) => story.peer(K.exchangeAnswer, answer));
  refuses(server, 'end-unasked', 'end without an exchange', (story) => story.peer(K.end));
  refuses(server, 'finished', 'Finished without end', (story) => story.peer(K.finished, utf8('{}')));
  refuses(server, 'offer-short', 'an offer one byte short', (story) => story.peer(K.offer, offer.slice(0, -1)));
  refuses(server, 'offer-long', 'an offer one byte long', (story) => story.peer(K.offer, cat(offer, zeros(1))));
  refuses(server, 'offer-empty', 'an empty offer', (story) => story.peer(K.offer));
  refuses(server, 'offer-other-kem', "an offer of another KEM than the connection's", (story) =>
    story.peer(K.offer, agreement('ml-kem-1024', 1).publicKey),
  );
  for (const index of [0, 384, 767])
    refuses(server, `offer-modulus-${index}`, `an offer whose coefficient ${index} is q`, (story) =>
      story.peer(K.offer, withCoefficient(offer, index, 3329)),
    );
  refuses(awaitingEnd, 'second-offer', 'a second offer before end', (story) =>
    story.peer(K.offer, agreement('ml-kem-768', 2).publicKey),
  );
  refuses(awaitingEnd, 'end-content', 'end with content', (story) => story.peer(K.end, utf8('{}')));
  refuses(awaitingEnd, 'finished-before-end', 'Finished before end', (story) => story.peer(K.finished, utf8('{}')));
  refuses(
    awaitingEnd,
    'finished-new-epoch-before-end',
    'a record of the new epoch before end',
    (story) => {
      story.enter('client', endExchange);
      return story.peer(K.finished, utf8('{}'));
    },
    3771,
  );
  refuses(awaitingFinished, 'message-first', 'a message before Finished', (story) => story.peer(K.text, utf8('x')));
  refuses(awaitingFinished, 'update-first', 'a key update before Finished', (story) => story.peer(K.update));
  refuses(awaitingFinished, 'second-end', 'a second end', (story) => story.peer(K.end));
  refuses(
    awaitingFinished,
    'finished-old-epoch',
    'Finished under the old epoch',
    (story) => story.forged(inner(utf8('{}'), K.finished), { key: awaitingEnd.directions.client.key }),
    3771,
  );
  refuses(awaitingFinished, 'finished-array', 'Finished is an array', (story) => story.peer(K.finished, utf8('[]')));
  refuses(awaitingFinished, 'finished-65537', 'Finished of 65,537 bytes', (story) => story.peerInner(filled(65_537)));
  {
    const story = tell(
      awaitingFinished.branch('exchange.server.finished-65536', 'Finished of 65,536 bytes', 'exchange', ['22']),
    );
    story.receive(story.peerInner(filled(65_536)), { exchanged: 1 });
    bothSay(story, 'after');
  }

  // Closing
  {
    const story = tell(
      offered.branch(
        'exchange.client.close.sent',
        'the client closes in offered and follows the server through answer and Finished, whose members it does not judge',
        'exchange',
        ['22', '9'],
      ),
    );
    story.step({ close: { code: 4000, reason: 'bye' } }, { sends: [story.own(K.close, closeContent(4000, 'bye'))] });
    story.receive(story.peer(K.exchangeAnswer, answer));
    story.enter('server', offeredExchange);
    story.receive(story.peer(K.finished, utf8('{"ml_dsa_65_signature":17}')));
    story.receive(story.peer(K.answer, closeContent(4000, 'bye')), { closes: 1000 });
    story.step({ transportClosed: 1000 }).sees(4000, 'bye', true);
  }
  {
    const story = tell(
      client.branch('exchange.client.close.discards-wanted', 'a client that has closed discards wanted', 'exchange', [
        '22',
        '9',
      ]),
    );
    story.step({ close: { code: 4000 } }, { sends: [story.own(K.close, closeContent(4000))] });
    story.receive(story.peer(K.wanted));
    story.receive(story.peer(K.answer, closeContent(4000)), { closes: 1000 });
    story.step({ transportClosed: 1000 }).sees(4000, '', true);
  }
  {
    const story = tell(
      offered.branch(
        'exchange.client.close.received',
        'a close comes in offered: answered under the old epoch, nothing of the exchange any more',
        'exchange',
        ['22', '9'],
      ),
    );
    story.receive(story.peer(K.close, closeContent(1001)), {
      sends: [story.own(K.answer, closeContent(1001))],
      closes: 1000,
    });
    story.step({ transportClosed: 1000 }).sees(1001, '', true);
  }
  {
    const story = tell(
      offered.branch(
        'exchange.client.close.no-clock',
        "a close stops the exchange's clock: its own 30 s decide",
        'exchange',
        ['22', '9'],
      ),
    );
    story.step({ close: { code: 4000 } }, { sends: [story.own(K.close, closeContent(4000))] });
    story.step({ advance: 29_999 });
    story.step({ advance: 1 }, { closes: 1000 });
    story.step({ transportClosed: 1000 }).sees(1006, '', false);
  }
  {
    const story = tell(
      awaitingEnd.branch(
        'exchange.server.close.sent',
        'the server closes in awaiting end and follows the client through end and Finished',
        'exchange',
        ['22', '9'],
      ),
    );
    story.step({ close: { code: 1001 } }, { sends: [story.own(K.close, closeContent(1001))] });
    story.receive(story.peer(K.end));
    story.enter('client', endExchange);
    story.receive(story.peer(K.finished, utf8('{}')));
    story.receive(story.peer(K.answer, closeContent(1001)), { closes: 1000 });
    story.step({ transportClosed: 1000 }).sees(1001, '', true);
  }
  {
    const story = tell(
      server.branch('exchange.server.close.discards-offer', 'a server that has closed discards an offer', 'exchange', [
        '22',
        '9',
      ]),
    );
    story.step({ close: { code: 1001 } }, { sends: [story.own(K.close, closeContent(1001))] });
    story.receive(story.peer(K.offer, offer));
    story.receive(story.peer(K.answer, closeContent(1001)), { closes: 1000 });
    story.step({ transportClosed: 1000 }).sees(1001, '', true);
  }

  // Authentication, again
  const pinned = opened(
    'client',
    'exchange, two servers pinned',
    { pins: ['identity', 'stranger'] },
    { peer: signedServer('identity') },
  );
  const withPins = (id: string, title: string, content: (made: Exchange) => string, code?: number): void => {
    const story = tell(pinned.branch(`exchange.client.pinned.${id}`, title, 'exchange', ['22', '11']));
    const made = story.exchange();
    if (code === undefined) {
      clientExchange(story, { finished: content(made) });
      bothSay(story, 'after');
      return;
    }
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    story.receive(story.peer(K.exchangeAnswer, made.answer));
    story.enter('server', made);
    story.refuses(story.peer(K.finished, utf8(content(made))), code);
  };
  const signed = (by: KeyName, label: string, th: Bytes, context?: Bytes): string =>
    `{"ml_dsa_65_signature":"${base64(signBy(by, bound32(label, th), context))}"}`;
  const DOMAIN = 'exchange server identity';
  withPins('signed', 'signed by the key that signed the handshake', ({ th }) => signed('identity', DOMAIN, th));
  withPins(
    'key-ignored',
    'ml_dsa_65_public_key is ignored in an exchange, whatever it is',
    ({ th }) => `${signed('identity', DOMAIN, th).slice(0, -1)},"ml_dsa_65_public_key":7}`,
  );
  withPins('unsigned', 'no signature', () => '{}', 3770);
  withPins('another-key', 'signed by the other pinned key', ({ th }) => signed('stranger', DOMAIN, th), 3770);
  withPins(
    'another-key-sent',
    'signed by the other pinned key, which is sent too',
    ({ th }) =>
      `${signed('stranger', DOMAIN, th).slice(0, -1)},"ml_dsa_65_public_key":"${base64(keyPair('stranger').publicKey)}"}`,
    3770,
  );
  withPins(
    'handshake-domain',
    "the handshake's domain, over th'",
    ({ th }) => signed('identity', 'server identity', th),
    3770,
  );
  withPins(
    'client-domain',
    "the client's domain",
    ({ th }) => signed('identity', 'exchange client identity', th),
    3770,
  );
  withPins('old-th', 'over the th of the generation before', () => signed('identity', DOMAIN, pinned.th), 3770);
  withPins(
    'handshake-signature',
    "the handshake's signature once more",
    () => signed('identity', 'server identity', pinned.th),
    3770,
  );
  withPins(
    'malformed',
    'a signature one byte short',
    ({ th }) => `{"ml_dsa_65_signature":"${base64(signBy('identity', bound32(DOMAIN, th)).slice(0, -1))}"}`,
    3770,
  );
  withPins('context', 'with a non-empty ML-DSA context', ({ th }) => signed('identity', DOMAIN, th, utf8('x')), 3770);
  {
    const base = opened(
      'client',
      'exchange, pinned by fingerprint',
      { fingerprints: ['identity'] },
      { peer: signedServer('identity', true) },
    );
    const story = tell(
      base.branch(
        'exchange.client.fingerprint',
        'pinned by fingerprint: the key of the handshake verifies, without being sent again',
        'exchange',
        ['22', '11'],
      ),
    );
    const made = story.exchange();
    clientExchange(story, { finished: signed('identity', DOMAIN, made.th) });
  }
  const attested = opened(
    'client',
    'exchange, attested',
    { verifier: true },
    { peer: ({ th }) => `{"attestation_doc":"${base64(documentFor(bound32('attestation', th)))}"}` },
  );
  const withVerifier = (id: string, title: string, content: (made: Exchange) => string, code?: number): void => {
    const story = tell(attested.branch(`exchange.client.attested.${id}`, title, 'exchange', ['22', '12']));
    const made = story.exchange();
    if (code === undefined) {
      clientExchange(story, { finished: content(made) });
      return;
    }
    story.step({ exchange: true }, { sends: [story.own(K.offer, made.offer)] });
    story.receive(story.peer(K.exchangeAnswer, made.answer));
    story.enter('server', made);
    story.refuses(story.peer(K.finished, utf8(content(made))), code);
  };
  const document = (userData: Bytes): string => `{"attestation_doc":"${base64(documentFor(userData))}"}`;
  withVerifier('binary', "a document for th', in the binary form", ({ th }) =>
    document(bound32('exchange attestation', th)),
  );
  withVerifier('text', "a document for th', in the text form", ({ th }) =>
    document(textForm('exchange attestation', th)),
  );
  withVerifier('none', 'no document', () => '{}', 3770);
  withVerifier(
    'handshake',
    "the handshake's document once more",
    () => document(bound32('attestation', attested.th)),
    3770,
  );
  withVerifier(
    'handshake-domain',
    "the handshake's domain over th'",
    ({ th }) => document(bound32('attestation', th)),
    3770,
  );
  withVerifier(
    'old-th',
    "the exchange's domain over the th before",
    () => document(bound32('exchange attestation', attested.th)),
    3770,
  );
  {
    const base = opened('server', 'exchange, with identity and attestation', { identity: 'identity', attester: true });
    const story = tell(
      base.branch(
        'exchange.server.signs',
        'a server with identity and attestation signs and attests again, and leaves its key out',
        'exchange',
        ['22', '11', '12'],
      ),
    );
    const made = story.exchange();
    serverExchange(story, { finished: story.serverFinished(DOMAIN, 'exchange attestation', made.th) });
    bothSay(story, 'after');
  }
  // Held work
  {
    const base = opened(
      'client',
      'exchange, pinned, verification held',
      { pins: ['identity'], held: ['verify'] },
      { peer: signedServer('identity') },
    );
    const begun = tell(
      base.branch('exchange.client.verifying', 'Finished(server) is being verified', 'exchange', ['22']),
    );
    const made = begun.exchange();
    begun.step({ exchange: true }, { sends: [begun.own(K.offer, made.offer)] });
    begun.receive(begun.peer(K.exchangeAnswer, made.answer));
    begun.enter('server', made);
    begun.receive(begun.peer(K.finished, utf8(signed('identity', DOMAIN, made.th))));
    const story = tell(
      begun.branch(
        'exchange.client.verifying.goes-on',
        "it delivers the server's new epoch and sends in its own old one",
        'exchange',
        ['22'],
      ),
    );
    bothSay(story, 'meanwhile');
    const end = story.own(K.end);
    story.enter('client', made);
    story.step({ finish: 'verify', result: 'ok' }, { sends: [end, story.own(K.finished, utf8('{}'))], exchanged: 1 });
    bothSay(story, 'after');
    const bad = tell(begun.branch('exchange.client.verifying.refused', 'the verification fails', 'exchange', ['22']));
    bad.step({ finish: 'verify', result: 'refused' }, { fails: 3770 }).sees(3770, '', false);
    const late = tell(
      begun.branch('exchange.client.verifying.timeout', 'the verification takes 60 s', 'exchange', ['22']),
    );
    late.step({ advance: 60_000 }, { fails: 3769 }).sees(3769, '', false);
    const closing = tell(
      begun.branch(
        'exchange.client.verifying.close',
        'the client closes while it verifies: it sends no end, and its close under the old epoch',
        'exchange',
        ['22', '9'],
      ),
    );
    closing.step({ close: { code: 4000 } }, { sends: [closing.own(K.close, closeContent(4000))] });
    closing.step({ finish: 'verify', result: 'ok' });
    closing.receive(closing.peer(K.answer, closeContent(4000)), { closes: 1000 });
    closing.step({ transportClosed: 1000 }).sees(4000, '', true);
  }
  {
    const base = opened('server', 'exchange, signing held', { identity: 'identity', held: ['sign'] });
    const begun = tell(base.branch('exchange.server.making', 'the server is signing its Finished', 'exchange', ['22']));
    const made = begun.exchange();
    begun.receive(begun.peer(K.offer, made.offer));
    const story = tell(
      begun.branch('exchange.server.making.goes-on', 'its records go on in the old epoch meanwhile', 'exchange', [
        '22',
      ]),
    );
    bothSay(story, 'meanwhile');
    const answerSent = story.own(K.exchangeAnswer, made.answer);
    story.enter('server', made);
    story.step(
      { finish: 'sign', result: 'ok' },
      { sends: [answerSent, story.own(K.finished, utf8(story.serverFinished(DOMAIN, '', made.th)))] },
    );
    const bad = tell(begun.branch('exchange.server.making.fails', 'the signer fails', 'exchange', ['22', '10']));
    bad.step({ finish: 'sign', result: 'refused' }, { fails: 3770 }).sees(3770, '', false);
    const end = tell(begun.branch('exchange.server.making.end', 'end before the answer', 'exchange', ['22']));
    end.refuses(end.peer(K.end), 3772);
    const second = tell(
      begun.branch('exchange.server.making.offer', 'a second offer before the answer', 'exchange', ['22']),
    );
    second.refuses(second.peer(K.offer, agreement('ml-kem-768', 2).publicKey), 3772);
    const closing = tell(
      begun.branch(
        'exchange.server.making.close',
        'a close comes: answered, and no answer to the offer any more',
        'exchange',
        ['22', '9'],
      ),
    );
    closing.receive(closing.peer(K.close, closeContent(4001)), {
      sends: [closing.own(K.answer, closeContent(4001))],
      closes: 1000,
    });
    closing.step({ finish: 'sign', result: 'ok' });
    closing.step({ transportClosed: 1000 }).sees(4001, '', true);
  }
}

const withoutRoot = (story: Story, side: 'client' | 'server'): Bytes => {
  const made = story.exchange();
  return derive(made.ss, made.th, `${side} key`);
};
const withoutSecret = (story: Story, side: 'client' | 'server'): Bytes => {
  const made = story.exchange();
  return derive(story.root, made.th, `${side} key`);
};
/** A peer's Finished(server), signed over the handshake. */
const signedServer =
  (by: KeyName, withKey = false) =>
  ({ th }: Story): string =>
    `{"ml_dsa_65_signature":"${base64(signBy(by, bound32('server identity', th)))}"${withKey ? `,"ml_dsa_65_public_key":"${base64(keyPair(by).publicKey)}"` : ''}}`;

// ---- 23: client identity ------------------------------------------------------------------------------------

const IDENTITY: HelloParts = { features: ['client_identity'] };

function clientIdentityCases(): void {
  // To a client
  const client = (id: string, title: string, setup: Setup = {}): Story =>
    tell(
      new Story(`client-identity.client.${id}`, title, 'client identity', ['23'], 'client', {
        identity: 'client',
        ...setup,
      }),
    );
  bothSay(
    client('proves', 'a client that is asked signs, and sends its key').hellos(IDENTITY, IDENTITY).finished('{}', true),
    'after',
  );
  bothSay(
    client('not-asked', 'a client that is not asked says nothing of itself').hellos(IDENTITY, {}).finished('{}', false),
    'after',
  );
  {
    const story = client('pinned-first', 'a client signs only once the server has passed', {
      pins: ['identity'],
    }).hellos(IDENTITY, IDENTITY);
    story.refuses(story.peer(K.finished, utf8('{}')), 3770);
  }
  {
    const begun = client('signing', 'the client is signing', { held: ['sign'] }).hellos(IDENTITY, IDENTITY);
    begun.receive(begun.peer(K.finished, utf8('{}')));
    const story = tell(
      begun.branch('client-identity.client.signing.waits', 'what arrives while it signs waits', 'client identity', [
        '23',
        '3.1',
      ]),
    );
    story.receive(story.peer(K.text, utf8('early')));
    story.step(
      { finish: 'sign', result: 'ok' },
      { accepts: true, sends: [story.own(K.finished, utf8(story.clientFinished(true)))], delivers: text('early') },
    );
    const bad = tell(
      begun.branch('client-identity.client.signing.fails', 'its signer fails', 'client identity', ['23', '10']),
    );
    bad.step({ finish: 'sign', result: 'refused' }, { fails: 3770 }).sees(3770, '', false);
    const late = tell(
      begun.branch('client-identity.client.signing.timeout', 'its signer takes too long', 'client identity', [
        '23',
        '4.3',
      ]),
    );
    late.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
  }

  // To a server
  const demand: Setup = { clientKeys: ['client', 'other client'] };
  const server = (id: string, title: string, setup: Setup = demand): Story =>
    tell(new Story(`client-identity.server.${id}`, title, 'client identity', ['23'], 'server', setup));
  const proof = (story: Story, by: KeyName, label = 'client identity', th = story.th): string =>
    `{"ml_dsa_65_signature":"${base64(signBy(by, bound32(label, th)))}","ml_dsa_65_public_key":"${base64(keyPair(by).publicKey)}"}`;
  {
    const story = server('accepts', 'an accepted key').hellos(IDENTITY, IDENTITY);
    story.receive(story.peer(K.finished, utf8(proof(story, 'client'))), { accepts: true });
    bothSay(story, 'after');
    const print = server('accepts-fingerprint', 'an accepted fingerprint', { clientFingerprints: ['client'] }).hellos(
      IDENTITY,
      IDENTITY,
    );
    print.receive(print.peer(K.finished, utf8(proof(print, 'client'))), { accepts: true });
  }
  for (const [id, extra] of [
    ['absent', ''],
    ['2', '"client_identity":2'],
    ['null', '"client_identity":null'],
  ] as const) {
    server(`not-offered.${id}`, `a hello that does not offer it (${id}) is refused before it is answered`)
      .step({ start: true })
      .refuses({ text: clientHelloOf({ extra }) }, 3770);
  }
  const refuses = (id: string, title: string, content: (story: Story) => string, setup: Setup = demand): void => {
    const story = server(`refuses.${id}`, title, setup).hellos(IDENTITY, IDENTITY);
    story.refuses(story.peer(K.finished, utf8(content(story))), 3770);
  };
  const members = (signature: string, key: string): string =>
    `{"ml_dsa_65_signature":${signature},"ml_dsa_65_public_key":${key}}`;
  const signature64 = (story: Story): string => base64(signBy('client', bound32('client identity', story.th)));
  const key64 = base64(keyPair('client').publicKey);
  refuses('nothing', 'neither signature nor key', () => '{}');
  refuses('no-key', 'no key', (story) => `{"ml_dsa_65_signature":"${signature64(story)}"}`);
  refuses('no-signature', 'no signature', () => `{"ml_dsa_65_public_key":"${key64}"}`);
  refuses('signature-null', 'signature null', () => members('null', quoted(key64)));
  refuses('key-null', 'key null', (story) => members(quoted(signature64(story)), 'null'));
  refuses('key-short', 'key one byte short', (story) =>
    members(quoted(signature64(story)), quoted(base64(keyPair('client').publicKey.slice(0, -1)))),
  );
  refuses('key-long', 'key one byte long', (story) =>
    members(quoted(signature64(story)), quoted(base64(cat(keyPair('client').publicKey, zeros(1))))),
  );
  refuses('key-fingerprint', "the fingerprint in the key's place", (story) =>
    members(quoted(signature64(story)), quoted(base64(unhex(fingerprint('client'))))),
  );
  refuses('signature-short', 'signature one byte short', (story) =>
    members(quoted(base64(signBy('client', bound32('client identity', story.th)).slice(0, -1))), quoted(key64)),
  );
  refuses('signature-flipped', 'a bit of the signature flipped', (story) =>
    members(quoted(base64(xorAt(signBy('client', bound32('client identity', story.th)), 100, 1))), quoted(key64)),
  );
  refuses('unpadded', 'signature in base64 that is not canonical', (story) =>
    members(quoted(`${signature64(story)}=`), quoted(key64)),
  );
  refuses('stranger', 'a good signature by a key that is not accepted', (story) => proof(story, 'stranger'));
  refuses('anothers-key', 'an accepted key, signed by another one', (story) =>
    members(quoted(base64(signBy('stranger', bound32('client identity', story.th)))), quoted(key64)),
  );
  refuses('server-domain', "the server's domain", (story) => proof(story, 'client', 'server identity'));
  refuses('exchange-domain', "the exchange's domain", (story) => proof(story, 'client', 'exchange client identity'));
  refuses('other-transcript', 'over another transcript', (story) =>
    proof(story, 'client', 'client identity', xorAt(story.th, 0, 1)),
  );
  refuses('bare-th', 'over the bare transcript hash', (story) =>
    members(quoted(base64(signBy('client', story.th))), quoted(key64)),
  );
  refuses('context', 'with a non-empty ML-DSA context', (story) =>
    members(
      quoted(base64(signBy('client', bound32('client identity', story.th), utf8('pq-websocket/1')))),
      quoted(key64),
    ),
  );
  refuses(
    'reflected',
    "one key in both roles: the server's own signature comes back",
    (story) =>
      `{"ml_dsa_65_signature":"${base64(signBy('identity', bound32('server identity', story.th)))}","ml_dsa_65_public_key":"${base64(keyPair('identity').publicKey)}"}`,
    { identity: 'identity', clientKeys: ['identity'] },
  );
  {
    const story = server('not-json', 'Finished(client) that is no JSON object is a handshake failure').hellos(
      IDENTITY,
      IDENTITY,
    );
    story.refuses(story.peer(K.finished, utf8('[]')), 3768);
  }
  {
    const story = server('unasked', 'a server that demands nothing ignores the members, whatever they are', {}).hellos(
      IDENTITY,
      {},
    );
    story.receive(story.peer(K.finished, utf8('{"ml_dsa_65_signature":7,"ml_dsa_65_public_key":null}')), {
      accepts: true,
    });
  }
  {
    const begun = server('verifying', 'the server is verifying its client', { ...demand, held: ['verify'] }).hellos(
      IDENTITY,
      IDENTITY,
    );
    begun.receive(begun.peer(K.finished, utf8(proof(begun, 'client'))));
    const story = tell(
      begun.branch(
        'client-identity.server.verifying.waits',
        'it delivers and sends nothing before the client is accepted',
        'client identity',
        ['23', '3.2'],
      ),
    );
    story.receive(story.peer(K.text, utf8('early')));
    story.step({ send: { text: 'queued' } });
    story.step(
      { finish: 'verify', result: 'ok' },
      { accepts: true, sends: [story.own(K.text, utf8('queued'))], delivers: text('early') },
    );
    const bad = tell(
      begun.branch(
        'client-identity.server.verifying.refused',
        'the client is refused: what waited is never delivered',
        'client identity',
        ['23'],
      ),
    );
    bad.receive(bad.peer(K.text, utf8('early')));
    bad.step({ finish: 'verify', result: 'refused' }, { fails: 3770 }).sees(3770, '', false);
    const late = tell(
      begun.branch('client-identity.server.verifying.timeout', 'the verification takes too long', 'client identity', [
        '23',
        '4.3',
      ]),
    );
    late.step({ advance: 10_000 }, { fails: 3769 }).sees(3769, '', false);
    const gone = tell(
      begun.branch(
        'client-identity.server.verifying.gone',
        'the transport closes meanwhile: nothing that waits is delivered',
        'client identity',
        ['23', '9'],
      ),
    );
    gone.receive(gone.peer(K.text, utf8('early')));
    gone.step({ transportClosed: 1000 });
    gone.step({ finish: 'verify', result: 'ok' }).sees(1006, '', false);
    const closed = tell(
      begun.branch(
        'client-identity.server.verifying.close',
        'its application closes before the client is accepted: no sealed close',
        'client identity',
        ['23', '3.2'],
      ),
    );
    closed.step({ close: { code: 4000 } }, { closes: 'no code' });
    closed.step({ transportClosed: 1005 }).sees(1006, '', false);
  }
  {
    const story = server('sends-after', "what the application sends before waits for the client's acceptance").hellos(
      IDENTITY,
      IDENTITY,
    );
    story.step({ send: { text: 'too early' } });
    story.receive(story.peer(K.finished, utf8(proof(story, 'client'))), {
      accepts: true,
      sends: [story.own(K.text, utf8('too early'))],
    });
  }
  {
    const hello = clientHelloOf();
    const setup: Setup = { ...demand, subprotocols: ['pqws1', `pqws1.${base64url(utf8(hello))}`] };
    const story = server('fast-open-token', 'a token whose hello does not offer it counts for nothing', setup);
    story.step({ start: true }).refuses({ text: hello }, 3770);
  }
  {
    const hello = clientHelloOf(IDENTITY);
    const setup: Setup = { ...demand, subprotocols: ['pqws1', `pqws1.${base64url(utf8(hello))}`] };
    const story = server('fast-open', 'with fast open too, nothing is sent before the client is accepted', setup).agree(
      hello,
      serverHelloOf(IDENTITY),
    );
    story.step({ start: true }, { sends: [{ text: story.serverHello }, story.own(K.finished, utf8('{}'))] });
    story.step({ send: { text: 'queued' } });
    story.receive({ text: hello });
    story.receive(story.peer(K.finished, utf8(proof(story, 'client'))), {
      accepts: true,
      sends: [story.own(K.text, utf8('queued'))],
    });
  }

  // In an exchange
  const both: HelloParts = { features: ['exchange', 'client_identity'] };
  {
    const base = tell(
      new Story(
        'opening.exchange-identity.client',
        'an open connection of a client with an identity, and exchange',
        'opening',
        ['23', '22'],
        'client',
        { exchange: true, identity: 'client' },
      ),
    );
    base.hellos(both, both).finished('{}', true);
    const story = tell(
      base.branch(
        'client-identity.client.exchange',
        'in an exchange the client signs again, and leaves its key out',
        'client identity',
        ['23', '22'],
      ),
    );
    const made = story.exchange();
    clientExchange(story, { last: story.clientFinished(true, 'exchange client identity', made.th) });
    bothSay(story, 'after');
  }
  const base = tell(
    new Story(
      'opening.exchange-identity.server',
      'an open connection of a server that knows its client, and exchange',
      'opening',
      ['23', '22'],
      'server',
      { exchange: true, ...demand },
    ),
  );
  base.hellos(both, both);
  base.receive(base.peer(K.finished, utf8(proof(base, 'client'))), { accepts: true });
  const again = (id: string, title: string, content: (made: Exchange) => string, code?: number): void => {
    const story = tell(base.branch(`client-identity.server.exchange.${id}`, title, 'client identity', ['23', '22']));
    if (code === undefined) {
      serverExchange(story, { last: content(story.exchange()) });
      bothSay(story, 'after');
      return;
    }
    const made = serverOffered(story);
    story.receive(story.peer(K.end));
    story.enter('client', made);
    story.refuses(story.peer(K.finished, utf8(content(made))), code);
  };
  const DOMAIN = 'exchange client identity';
  const signature = (by: KeyName, label: string, th: Bytes): string =>
    `{"ml_dsa_65_signature":"${base64(signBy(by, bound32(label, th)))}"}`;
  again('signed', 'signed again by the key of the handshake', ({ th }) => signature('client', DOMAIN, th));
  again('unsigned', 'no signature', () => '{}', 3770);
  again(
    'another-accepted-key',
    "another accepted key: one registered client would take over another's session",
    ({ th }) => signature('other client', DOMAIN, th),
    3770,
  );
  again(
    'another-accepted-key-sent',
    'another accepted key, which is sent too',
    ({ th }) =>
      `${signature('other client', DOMAIN, th).slice(0, -1)},"ml_dsa_65_public_key":"${base64(keyPair('other client').publicKey)}"}`,
    3770,
  );
  again(
    'handshake-domain',
    "the handshake's domain over th'",
    ({ th }) => signature('client', 'client identity', th),
    3770,
  );
  again('server-domain', "the server's domain", ({ th }) => signature('client', 'exchange server identity', th), 3770);
  again('old-th', 'over the th of the generation before', () => signature('client', DOMAIN, base.th), 3770);
  {
    const held = tell(
      new Story(
        'opening.exchange-identity-held.server',
        'the same, verifications held',
        'opening',
        ['23', '22'],
        'server',
        { exchange: true, ...demand, held: ['verify'] },
      ),
    );
    held.hellos(both, both);
    held.receive(held.peer(K.finished, utf8(proof(held, 'client'))));
    held.step({ finish: 'verify', result: 'ok' }, { accepts: true });
    const begun = tell(
      held.branch(
        'client-identity.server.exchange.verifying',
        'what follows Finished(client) waits for the check; the server goes on sending',
        'client identity',
        ['23', '22'],
      ),
    );
    const made = serverOffered(begun);
    begun.receive(begun.peer(K.end));
    begun.enter('client', made);
    begun.receive(begun.peer(K.finished, utf8(signature('client', DOMAIN, made.th))));
    begun.receive(begun.peer(K.text, utf8('early')));
    begun.step({ send: { text: 'meanwhile' } }, { sends: [begun.own(K.text, utf8('meanwhile'))] });
    const story = tell(
      begun.branch(
        'client-identity.server.exchange.waits',
        'and is delivered when the check has passed',
        'client identity',
        ['23', '22'],
      ),
    );
    const bad = tell(
      begun.branch(
        'client-identity.server.exchange.waits-refused',
        'and is never delivered when the check fails',
        'client identity',
        ['23', '22'],
      ),
    );
    bad.step({ finish: 'verify', result: 'refused' }, { fails: 3770 }).sees(3770, '', false);
    story.step({ finish: 'verify', result: 'ok' }, { exchanged: 1, delivers: text('early') });
  }
}

// ---- 24: heartbeat ------------------------------------------------------------------------------------------

const HEARTBEAT: HelloParts = { features: ['heartbeat'] };

function heartbeatCases(): void {
  for (const to of ['client', 'server'] as const) {
    const base = tell(
      new Story(`opening.heartbeat.${to}`, 'an open connection with heartbeat', 'opening', ['24'], to, {
        heartbeat: true,
      }),
    )
      .hellos(HEARTBEAT, HEARTBEAT)
      .finished();
    const at = (id: string, title: string, sections = ['24']): Story =>
      tell(base.branch(`heartbeat.${to}.${id}`, title, 'heartbeat', sections));
    for (const size of [0, 1, 125]) {
      const story = at(`ping-${size}`, `a ping of ${size} bytes is answered with the same`);
      const content = zeros(size).fill(0x70);
      story.receive(story.peer(K.ping, content), { sends: [story.own(K.pong, content)] });
    }
    const zero = at('ping-zeros', 'a ping that ends in zero bytes');
    zero.receive(zero.peer(K.ping, unhex('700000'), 5), { sends: [zero.own(K.pong, unhex('700000'))] });
    for (const [name, kind] of [
      ['ping', K.ping],
      ['pong', K.pong],
    ] as const) {
      const story = at(`${name}-126`, `a ${name} of 126 bytes`, ['24', '10']);
      story.refuses(story.peer(kind, zeros(126).fill(1)), 3772);
      const discarded = at(`${name}-after-close`, `a ${name} after one's own close is discarded`, ['24', '9']);
      discarded.step({ close: { code: 4000 } }, { sends: [discarded.own(K.close, closeContent(4000))] });
      discarded.receive(discarded.peer(kind, utf8('x')));
      discarded.receive(discarded.peer(K.answer, closeContent(4000)), { closes: 1000 });
      discarded.step({ transportClosed: 1000 }).sees(4000, '', true);
    }
    const unasked = at('pong-unasked', 'a pong that nobody asked for is ignored');
    unasked.receive(unasked.peer(K.pong, utf8('?')));
    bothSay(unasked, 'after');
    const own = at('own', "a ping of one's own resolves with the pong that repeats it, and with no other");
    own.step({ ping: hex(utf8('are you there')) }, { sends: [own.own(K.ping, utf8('are you there'))] });
    own.receive(own.peer(K.pong, utf8('no')));
    own.receive(own.peer(K.pong, utf8('are you there')), { answered: hex(utf8('are you there')) });
    const between = at('updates', 'a ping is a record between two key updates', ['24', '8']);
    between.receive(between.peer(K.update));
    between.receive(between.peer(K.ping), { sends: [between.own(K.pong)] });
    between.receive(between.peer(K.update));
    bothSay(between, 'after');
    const batch = at('in-batch', 'a ping in a batch', ['24', '7.4']);
    batch.refuses(batch.peer(K.batch, unhex('0c00000000')), 3772);
    const never = at('silent-before', 'an application that pings after a close: nothing is sent', ['24', '9']);
    never.receive(never.peer(K.close, closeContent(1000)), {
      sends: [never.own(K.answer, closeContent(1000))],
      closes: 1000,
    });
    never.step({ transportClosed: 1000 }).sees(1000, '', true);

    const clocked = tell(
      new Story(`opening.heartbeat-clock.${to}`, 'heartbeat each 30 s, 10 s for the answer', 'opening', ['24'], to, {
        heartbeat: { interval: 30_000, timeout: 10_000 },
      }),
    )
      .hellos(HEARTBEAT, HEARTBEAT)
      .finished();
    const clock = (id: string, title: string): Story =>
      tell(clocked.branch(`heartbeat.${to}.${id}`, title, 'heartbeat', ['24']));
    const dead = clock('dead', 'nothing is opened: a ping, then the end');
    dead.step({ advance: 29_999 });
    dead.step({ advance: 1 }, { sends: [dead.anyContent(K.ping)] });
    dead.step({ advance: 9_999 });
    dead.step({ advance: 1 }, { closes: 'no code' });
    dead.step({ transportClosed: 1006 }).sees(1006, '', false);
    const alive = clock('alive', 'anything that is opened starts the interval anew');
    alive.step({ advance: 20_000 });
    alive.receive(alive.peer(K.text, utf8('x')), { delivers: text('x') });
    alive.step({ advance: 29_999 });
    alive.step({ advance: 1 }, { sends: [alive.anyContent(K.ping)] });
    alive.receive(alive.peer(K.binary, zeros(1)), { delivers: [{ binary: '00' }] });
    alive.step({ advance: 20_000 });
    const often = tell(
      new Story(`opening.heartbeat-often.${to}`, 'heartbeat each 10 s, 5 s for the answer', 'opening', ['24'], to, {
        heartbeat: { interval: 10_000, timeout: 5_000 },
      }),
    )
      .hellos(HEARTBEAT, HEARTBEAT)
      .finished();
    const stopped = tell(
      often.branch(`heartbeat.${to}.stops`, 'a close stops the heartbeat', 'heartbeat', ['24', '9']),
    );
    stopped.step({ close: { code: 4000 } }, { sends: [stopped.own(K.close, closeContent(4000))] });
    stopped.step({ advance: 29_999 });
  }
}

export function extensionCases(): Case[] {
  kemCases();
  featureCases();
  exchangeCases();
  clientIdentityCases();
  heartbeatCases();
  return stories.map((story) => story.toCase());
}
