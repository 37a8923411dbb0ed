/** PROTOCOL.md 22: exchange. */
import { utf8, hex, base64, cat, zeros, xorAt, type Bytes, type Piece, type Message } from '../bytes.ts';
import { inner, closeContent } from '../connection.ts';
import { withCoefficient } from '../coefficients.ts';
import { agreement } from '../kems.ts';
import { keyPair, signBy, bound32, textForm, documentFor, type KeyName } from '../keys.ts';
import type { Story } from '../story.ts';
import { K, derive, type Exchange } from '../story.ts';
import { tell, bothSay, opened, clientExchange, clientAnswered, serverOffered, serverExchange } from './told.ts';

export function exchangeCases(): void {
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
