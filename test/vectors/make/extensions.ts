/** extensions.json: the values of PROTOCOL.md 21 to 24, then the cases. */
import { sha256 } from '@noble/hashes/sha2.js';
import { cat, hex, u32be, utf8, zeros } from './bytes.ts';
import { inner } from './connection.ts';
import { extensionCases } from './extensions/index.ts';
import { checkHybrid, combine, hybridParts } from './hybrid.ts';
import { agreement, coinsOf, type KemName, KEMS, seedOf } from './kems.ts';
import { bound32, documentFor, fingerprint, KEY_NAMES, keyPair, seedOfKey, signBy, textForm } from './keys.ts';
import { derive, type Exchange, K, Story } from './story.ts';

const GENERATIONS = [0, 1, 2];

function kems(): object[] {
  return (Object.keys(KEMS) as KemName[]).map((name) => {
    const kem = KEMS[name];
    return {
      name,
      clientHelloMember: kem.keyMember,
      serverHelloMember: kem.ciphertextMember,
      encapsulationKeyBytes: kem.key,
      ciphertextBytes: kem.ciphertext,
      agreements: GENERATIONS.map((generation) => {
        const { publicKey, cipherText, sharedSecret } = agreement(name, generation);
        return {
          generation,
          keySeed: hex(seedOf(kem, generation)),
          m: hex(coinsOf(kem, generation)),
          encapsulationKey: hex(publicKey),
          ciphertext: hex(cipherText),
          sharedSecret: hex(sharedSecret),
        };
      }),
    };
  });
}

function hybrid(): object {
  checkHybrid();
  const named = (parts: ReturnType<typeof hybridParts>): object => ({
    ssM: hex(parts.ssM),
    ssX: hex(parts.ssX),
    ctX: hex(parts.ctX),
    pkX: hex(parts.pkX),
    sharedSecret: hex(combine(parts)),
  });
  return {
    name: 'mlkem768-x25519, generation 0, taken to pieces',
    ...named(hybridParts()),
    withTopBitOfPkX: named(hybridParts(true)),
  };
}

function exchangeOf(story: Story, made: Exchange): object {
  const { generation, offer, answer, th, ss, seed, root } = made;
  const input = cat(
    utf8('pq-websocket/1 exchange transcript'),
    story.th,
    u32be(offer.length),
    offer,
    u32be(answer.length),
    answer,
  );
  const secrets = (['client', 'server'] as const).flatMap((side) => {
    const { key, next } = made.directions[side];
    return [
      { name: `key[${side},0]`, okm: hex(key) },
      { name: `next[${side},1]`, okm: hex(next) },
      { name: `key[${side},1]`, okm: hex(derive(next, th, `${side} key`)) },
    ];
  });
  return {
    generation,
    thBefore: hex(story.th),
    rootBefore: hex(story.root),
    offer: hex(offer),
    answer: hex(answer),
    ss: hex(ss),
    input: hex(input),
    th: hex(th),
    seed: hex(seed),
    root: hex(root),
    secrets,
    signed: {
      server: hex(bound32('exchange server identity', th)),
      serverSignature: hex(signBy('identity', bound32('exchange server identity', th))),
      client: hex(bound32('exchange client identity', th)),
      clientSignature: hex(signBy('client', bound32('exchange client identity', th))),
    },
    userData: {
      binary: hex(bound32('exchange attestation', th)),
      text: Buffer.from(textForm('exchange attestation', th)).toString('latin1'),
    },
  };
}

/** Every value of a connection with all of it: hellos, secrets, and two exchanges one after the other. */
function sessions(): object[] {
  return (Object.keys(KEMS) as KemName[]).map((name) => {
    const features = ['exchange', 'client_identity', 'heartbeat'];
    const story = new Story('', '', '', [], 'client', { kems: [name] }).hellos(
      { kems: [name], features },
      { kems: [name], features },
    );
    const { clientHello, serverHello, th, ss, root, exporter, directions } = story;
    const first = story.exchange();
    const exchanges = [exchangeOf(story, first)];
    story.enter('server', first);
    story.enter('client', first);
    exchanges.push(exchangeOf(story, story.exchange()));
    return {
      name: `${name}, every feature`,
      kem: name,
      clientHello,
      serverHello,
      th: hex(th),
      ss: hex(ss),
      secrets: (['client', 'server'] as const)
        .flatMap((side) => [
          { name: `key[${side},0]`, okm: hex(derive(ss, th, `${side} key`)) },
          { name: `next[${side},1]`, okm: hex(derive(ss, th, `${side} update`)) },
        ])
        .concat([
          { name: 'exporter', okm: hex(exporter) },
          { name: 'root', okm: hex(root) },
        ]),
      serverFinishedInner: hex(inner(utf8('{}'), K.finished)),
      clientSigned: hex(bound32('client identity', th)),
      clientSignature: hex(signBy('client', bound32('client identity', th))),
      userData: {
        binary: hex(bound32('attestation', th)),
        text: Buffer.from(textForm('attestation', th)).toString('latin1'),
      },
      seqAfterHandshake: directions.client.seq,
      exchanges,
    };
  });
}

export function extensions(): object {
  const document = documentFor(cat(utf8('user data')));
  return {
    format: 2,
    profile: 'v1',
    inputs: {
      maxPayload: 65_536,
      nonces: 'four ASCII characters (clnt, srvr) and u64be of seq, for every record of an honest end',
    },
    kems: kems(),
    hybrid: hybrid(),
    keys: KEY_NAMES.map((name) => ({
      name,
      seed: hex(seedOfKey(name)),
      publicKey: hex(keyPair(name).publicKey),
      fingerprint: fingerprint(name),
      secretKeySha256: hex(sha256(keyPair(name).secretKey)),
    })),
    documents: { prefix: 'document of the vectors for ', example: hex(document), empty: hex(documentFor(zeros(0))) },
    sessions: sessions(),
    cases: extensionCases(),
  };
}
