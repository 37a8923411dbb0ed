/** PROTOCOL.md 5, 11 and 12: identities, documents, context. */
import { utf8, hex, base64, cat, zeros, xorAt, quoted } from '../bytes.ts';
import { context, inner } from '../connection.ts';
import { keyPair, signBy, bound32, textForm, documentFor, type KeyName } from '../keys.ts';
import { K, Story, type Setup } from '../story.ts';
import { SIDES, greeted, from, fresh, goesOn, signedContent } from './told.ts';

export function authentication(): void {
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
