/** PROTOCOL.md 23: client identity. */
import { utf8, unhex, base64, base64url, cat, zeros, xorAt, quoted, type Bytes } from '../bytes.ts';
import { keyPair, fingerprint, signBy, bound32, type KeyName } from '../keys.ts';
import { K, clientHelloOf, serverHelloOf, Story, type Setup, type Exchange, type HelloParts } from '../story.ts';
import { tell, text, bothSay, clientExchange, serverOffered, serverExchange } from './told.ts';

const IDENTITY: HelloParts = { features: ['client_identity'] };

export function clientIdentityCases(): void {
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
