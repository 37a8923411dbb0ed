/** src/protocol against v1.json, on every backend. What v1.json holds and nothing here reads is a failure. */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { describe, expect, test } from 'vitest';
import type { AeadKey, CryptoBackend, Secret } from '../../src/crypto/backend.ts';
import type { MaybePromise } from '../../src/base/maybe-promise.ts';
import { concat, utf8 } from '../../src/base/bytes.ts';
import { fastOpenProtocols, readOffer } from '../../src/protocol/v1/fast-open.ts';
import { buildServerHello, transcript } from '../../src/protocol/v1/hellos.ts';
import { plainHello } from '../support/plain-hello.ts';
import { deriveConnectionKeys } from '../../src/protocol/v1/key-schedule.ts';
import * as Kind from '../../src/protocol/v1/kinds.ts';
import { paddedLength, padTo } from '../../src/protocol/v1/padding.ts';
import { isCloseCode, parseClose } from '../../src/protocol/v1/record.ts';
import { selectFrom } from '../../src/transport/upgrade-request.ts';
import { hkdfSha256, hmacSha256, sha256 } from '../support/reference-crypto.ts';
import { BACKEND_NAMES, BACKENDS } from '../support/session-pair.ts';
import type { SessionVector } from '../support/v1-vectors.ts';
import { bytes, cases, delivered, toHex, unreadPaths, v1, wire } from '../support/v1-vectors.ts';
import { checkRecord, demandDocument, demandPins, expectRefused, publicKeyOf } from './v1-checks.ts';
import { sealAll, VectorEnd } from './v1-end.ts';

const counts = new Map<string, number>();
const count = (section: string): void => {
  counts.set(section, (counts.get(section) ?? 0) + 1);
};

/** A list of v1.json as tests, counted as they run. */
function each<T extends { readonly name: string }>(
  section: string,
  list: readonly T[],
  run: (vector: T) => Promise<void> | void,
): void {
  const all = cases(section, list);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  for (const vector of all) {
    test(`${section}: ${vector.name}`, async () => {
      await run(vector);
      count(section);
    });
  }
}

const th = bytes(v1.session.th);

test('the file is of this profile', () => {
  expect(v1.profile).toBe('v1');
});

describe('what needs no key', () => {
  for (const { block, lengths } of cases('padding.blocks', v1.padding.blocks)) {
    test(`padding: blocks of ${block}`, () => {
      for (const [length, padded] of cases(`padding of ${block}`, lengths))
        expect([length, paddedLength(length, block)]).toEqual([length, padded]);
      count('padding.blocks');
    });
  }
  test('padding: PADMÉ', () => {
    for (const [length, padded] of cases('padding.padme', v1.padding.padme)) {
      expect([length, paddedLength(length, 'padme')]).toEqual([length, padded]);
      count('padding.padme');
    }
  });
  test('close codes', () => {
    for (const code of cases('acceptedCloseCodes', v1.acceptedCloseCodes))
      expect([code, isCloseCode(code)]).toEqual([code, true]);
    for (const code of cases('refusedCloseCodes', v1.refusedCloseCodes))
      expect([code, isCloseCode(code)]).toEqual([code, false]);
  });
  test('hello texts', () => {
    expect(plainHello(bytes(v1.kem.encapsulationKey))).toBe(v1.session.clientHello);
    expect(buildServerHello(bytes(v1.kem.ciphertext))).toBe(v1.session.serverHello);
  });
  test('no two transcripts are the same', () => {
    const all = cases('transcripts', v1.transcripts).map((vector) => vector.th);
    expect(new Set(all).size).toBe(all.length);
  });
  test('every record is made of the parts that it lists', () => {
    const {
      session,
      sessionWithContext,
      clientRecords,
      serverRecords,
      endings,
      crossings,
      serverIdentity,
      attestation,
    } = v1;
    const records = [
      ...clientRecords,
      ...serverRecords,
      ...endings.flatMap(({ close, answer }) => [close, answer]),
      ...crossings.flatMap(({ client, server }) => [client, server]),
      ...[session, serverIdentity, attestation].map(({ serverFinished }) => serverFinished),
      session.clientFinished,
    ];
    for (const record of records) checkRecord(record, session);
    for (const record of [sessionWithContext.serverFinished, sessionWithContext.clientFinished])
      checkRecord(record, sessionWithContext);
  });
  test('the keys of serverIdentity', () => {
    for (const { seed, publicKey, secretKeySha256 } of cases('serverIdentity.keys', v1.serverIdentity.keys)) {
      const pair = ml_dsa65.keygen(bytes(seed));
      expect(toHex(pair.publicKey)).toBe(publicKey);
      expect(toHex(sha256(pair.secretKey))).toBe(secretKeySha256);
    }
    const signed = concat(utf8('pq-websocket/1 server identity'), Uint8Array.of(0), th);
    expect(toHex(signed)).toBe(v1.serverIdentity.signedBytes);
    expect(ml_dsa65.verify(bytes(v1.serverIdentity.signature), signed, publicKeyOf('identity'))).toBe(true);
  });
});

describe.each(BACKEND_NAMES)('%s', (name) => {
  const backend = BACKENDS[name];
  const open = (role: 'client' | 'server', session?: SessionVector): Promise<VectorEnd> =>
    new VectorEnd(
      role,
      backend,
      session?.context === undefined ? {} : { context: bytes(session.context) },
    ).throughFinished(session);

  test('the backend is the one that the label names', () => {
    expect(backend.name).toBe(name);
  });

  test('kem', async () => {
    const pair = await backend.generateKeyPair(bytes(v1.inputs.keySeed));
    expect(toHex(pair.encapsulationKey)).toBe(v1.kem.encapsulationKey);
    const { ciphertext, sharedSecret } = await backend.encapsulate(pair.encapsulationKey, bytes(v1.inputs.m));
    expect(toHex(ciphertext)).toBe(v1.kem.ciphertext);
    const expected = toHex(hkdfSha256(bytes(v1.kem.sharedSecret), th, utf8('x'), 32));
    for (const secret of [sharedSecret, await pair.decapsulate(ciphertext)]) {
      expect(toHex(await backend.deriveBytes(secret, th, utf8('x'), 32))).toBe(expected);
    }
    count('kem');
  });

  each('transcripts', v1.transcripts, async ({ clientHello, serverHello, context, input, th: hash }) => {
    const hashed = transcript(clientHello, serverHello, context === undefined ? undefined : bytes(context));
    expect(toHex(hashed)).toBe(input);
    expect(toHex(await backend.sha256(hashed))).toBe(hash);
  });

  describe.each(['session', 'sessionWithContext'] as const)('%s', (which) => {
    const vector = v1[which];

    test('hellos, th and Finisheds, both ends', async () => {
      const client = await open('client', vector);
      const server = await open('server', vector);
      expect(client.wire).toEqual([vector.clientHello, vector.clientFinished.frame]);
      expect(server.wire).toEqual([vector.serverHello, vector.serverFinished.frame]);
      for (const end of [client, server])
        expect(toHex(end.session.channel.facts?.transcriptHash ?? th.slice(0, 0))).toBe(vector.th);
      count(which);
    });

    test('secrets', async () => {
      expect(vector.ss).toBe(v1.kem.sharedSecret);
      const known = new Map([['ss', vector.ss]]);
      const nonce = new Uint8Array(12).fill(7);
      for (const { name: secret, ikm, prk, info, okm } of cases('secrets', vector.secrets)) {
        const parent = bytes(known.get(ikm) ?? '');
        expect(toHex(hmacSha256(bytes(vector.th), parent))).toBe(prk);
        const parentSecret = await backend.importSecret(parent);
        expect(toHex(await backend.deriveBytes(parentSecret, bytes(vector.th), bytes(info), 32))).toBe(okm);
        if (secret.startsWith('key')) {
          const derived = await backend.deriveKey(parentSecret, bytes(vector.th), bytes(info));
          const imported = await backend.importKey(await backend.importSecret(bytes(okm)));
          const seal = (key: AeadKey): MaybePromise<Uint8Array> => key.seal(concat(nonce, new Uint8Array(20)), nonce);
          expect(await seal(derived)).toEqual(await seal(imported));
        }
        known.set(secret, okm);
        count(`${which}.secrets`);
      }
    });

    test('the key schedule makes exactly these secrets, through two updates', async () => {
      const made: string[] = [];
      const spy = {
        ...backend,
        deriveSecret: async (...given: Parameters<CryptoBackend['deriveSecret']>): Promise<Secret> => {
          const [secret, salt, info] = given;
          made.push(toHex(await backend.deriveBytes(secret, salt, info, 32)));
          return backend.deriveSecret(...given);
        },
      };
      const keys = await deriveConnectionKeys(spy, bytes(vector.th), await backend.importSecret(bytes(vector.ss)));
      for (const direction of [keys.client, keys.server, keys.client, keys.server]) await direction.advance();
      const expected = vector.secrets.filter(({ name: secret }) => !secret.startsWith('key')).map(({ okm }) => okm);
      expect(made.sort()).toEqual(expected.sort());
    });

    for (const role of ['client', 'server'] as const) {
      test(`exports of the ${role}`, async () => {
        const end = await open(role, vector);
        for (const { name: label, info, bytes: expected, sha256: hash, ...request } of cases(
          'exports',
          vector.exports,
        )) {
          const exported = await end.session.channel.exportKey(request.label, request.length);
          expect(info.startsWith(toHex(utf8('pq-websocket/1 export '))), label).toBe(true);
          expect(exported.length).toBe(request.length);
          if (expected !== undefined) expect(toHex(exported)).toBe(expected);
          else expect(toHex(sha256(exported))).toBe(hash);
          count(`${which}.exports`);
        }
      });
    }
  });

  for (const [section, to] of [
    ['clientRecords', 'server'],
    ['serverRecords', 'client'],
  ] as const) {
    const list = cases(section, v1[section]);

    test(`${section}: opened in order by the ${to}`, async () => {
      const end = await new VectorEnd(to, backend).throughHellos();
      for (const { name: record, seq, kind, frame, content, delivers } of list) {
        expect([record, seq]).toEqual([record, end.session.channel.recordsOpened]);
        // Who is to receive the answer has to have closed.
        if (kind === Kind.CLOSE_ANSWER) end.session.close(parseClose(bytes(content)));
        await end.receive(bytes(frame));
        expect(end.received.splice(0)).toEqual(delivered(delivers));
        count(section);
      }
      end.session.transportClosed(1000);
      expect(end.outcome).toEqual({ code: 4001, reason: 'done', wasClean: true, failure: undefined });
    });

    test(`${section}: sealed to the same bytes`, async () => {
      expect(await sealAll(backend, list)).toEqual(list.map(({ frame }) => frame));
    });
  }

  each('endings', v1.endings, async ({ by, code, reason, close, answer }) => {
    const padded = padTo(close.padding === 0 ? 'off' : bytes(close.inner).length);
    const closer = await new VectorEnd(by, backend, { padded }).throughFinished();
    const other = await new VectorEnd(by === 'client' ? 'server' : 'client', backend, { padded }).throughFinished();
    closer.nonces.push(bytes(close.nonce));
    other.nonces.push(bytes(answer.nonce));
    closer.session.close(close.content === '' ? undefined : { code, reason });
    await closer.settle();
    await other.receive(bytes(close.frame));
    await closer.receive(bytes(answer.frame));
    expect(closer.hasSent(close.frame)).toBe(true);
    expect(other.hasSent(answer.frame)).toBe(true);
    for (const end of [closer, other]) {
      end.session.transportClosed(1000);
      expect(end.outcome).toEqual({ code, reason, wasClean: true, failure: undefined });
      expect(end.session.channel.closeAnswered).toBe(true);
    }
  });

  each('crossings', v1.crossings, async ({ client: clientClose, server: serverClose, clientSees, serverSees }) => {
    const client = await open('client');
    const server = await open('server');
    client.nonces.push(bytes(clientClose.nonce));
    server.nonces.push(bytes(serverClose.nonce));
    client.close(serverSees.code, serverSees.reason);
    server.close(clientSees.code, clientSees.reason);
    await client.receive(bytes(serverClose.frame));
    await server.receive(bytes(clientClose.frame));
    expect(client.hasSent(clientClose.frame)).toBe(true);
    expect(server.hasSent(serverClose.frame)).toBe(true);
    for (const [end, sees] of [
      [client, clientSees],
      [server, serverSees],
    ] as const) {
      end.session.transportClosed(1000);
      expect(end.outcome).toMatchObject({ ...sees, wasClean: true });
      expect(end.session.channel.closeAnswered).toBe(false);
    }
  });

  each('acceptedFrames', v1.acceptedFrames, async ({ to, before, message, delivers }) => {
    const end = await open(to);
    for (const step of before) await end.take(step);
    const already = end.received.length;
    await end.receive(wire(message));
    expect(end.failure).toBeUndefined();
    expect(end.received.slice(already)).toEqual(delivered(delivers));
  });

  each('refusedFrames', v1.refusedFrames, async ({ to, before, message, code }) => {
    const end = await open(to);
    for (const step of before) await end.take(step);
    end.received.length = 0;
    await end.receive(wire(message));
    expectRefused(end, code);
  });

  each('acceptedHellos', v1.acceptedHellos, async ({ to, message, th: hash, serverFinished, clientFinished }) => {
    const end = await new VectorEnd(to, backend).start();
    await end.receive(wire(message));
    expect(toHex(end.session.channel.facts?.transcriptHash ?? th.slice(0, 0))).toBe(hash);
    await end.receive(bytes(to === 'client' ? serverFinished : clientFinished));
    expect(end.session.state).toBe('open');
    expect(end.wire).toEqual(
      to === 'client' ? [v1.session.clientHello, clientFinished] : [v1.session.serverHello, serverFinished],
    );
  });

  each('refusedHellos', v1.refusedHellos, async ({ to, message, code }) => {
    const end = await new VectorEnd(to, backend).start();
    const before = end.sent.length;
    await end.receive(wire(message));
    expectRefused(end, code);
    expect(end.sent.length).toBe(before);
  });

  each('acceptedFinished', v1.acceptedFinished, async ({ to, pins, message }) => {
    const end = await new VectorEnd(to, backend, { authenticate: demandPins(pins) }).throughHellos();
    await end.receive(wire(message));
    expect(end.failure).toBeUndefined();
    expect(end.session.state).toBe('open');
  });

  each('refusedFinished', v1.refusedFinished, async ({ to, pins, message, code }) => {
    const end = await new VectorEnd(to, backend, { authenticate: demandPins(pins) }).throughHellos();
    const before = end.sent.length;
    await end.receive(wire(message));
    expectRefused(end, code);
    expect(end.events).not.toContain('peerAccepted');
    expect(end.sent.length).toBe(before);
  });

  test('serverIdentity: a server sends the record, a client that pins takes it', async () => {
    const { signature, serverFinished } = v1.serverIdentity;
    const server = new VectorEnd('server', backend, { prove: () => ({ signature: bytes(signature) }) });
    server.nonces.push(bytes(serverFinished.nonce));
    await server.throughHellos();
    expect(server.hasSent(serverFinished.frame)).toBe(true);
    const client = await new VectorEnd('client', backend, { authenticate: demandPins(['identity']) }).throughHellos();
    await client.receive(bytes(serverFinished.frame));
    expect(client.session.state).toBe('open');
    count('serverIdentity');
  });

  test('attestation: a server sends the record, a client with a verifier takes it', async () => {
    const { document, serverFinished } = v1.attestation;
    const server = new VectorEnd('server', backend, { prove: () => ({ attestation: bytes(document) }) });
    server.nonces.push(bytes(serverFinished.nonce));
    await server.throughHellos();
    expect(server.hasSent(serverFinished.frame)).toBe(true);
    const client = await new VectorEnd('client', backend, { authenticate: demandDocument }).throughHellos();
    await client.receive(bytes(serverFinished.frame));
    expect(client.session.state).toBe('open');
    count('attestation');
  });

  each('attestation.refusedFinished', v1.attestation.refusedFinished, async ({ message, code }) => {
    const client = await new VectorEnd('client', backend, { authenticate: demandDocument }).throughHellos();
    await client.receive(wire(message));
    expectRefused(client, code);
  });

  test('implicitRejection', async () => {
    const { serverHello, sharedSecretOfTheClient, message, messageUnderTheRightSecret, code } = v1.implicitRejection;
    const pair = await backend.generateKeyPair(bytes(v1.inputs.keySeed));
    const ciphertext = JSON.parse(serverHello) as { ml_kem_768_ciphertext: string };
    const secret = await pair.decapsulate(
      Uint8Array.from(atob(ciphertext.ml_kem_768_ciphertext), (character) => character.charCodeAt(0)),
    );
    const expected = hkdfSha256(bytes(sharedSecretOfTheClient), th, utf8('x'), 32);
    expect(await backend.deriveBytes(secret, th, utf8('x'), 32)).toEqual(expected);
    for (const frame of [message, messageUnderTheRightSecret]) {
      const client = await new VectorEnd('client', backend).start();
      await client.receive(serverHello);
      expect(client.session.state).toBe('client: awaiting finished');
      expect(toHex(client.session.channel.facts?.transcriptHash ?? th.slice(0, 0))).toBe(v1.implicitRejection.th);
      await client.receive(wire(frame));
      expectRefused(client, code);
    }
    count('implicitRejection');
  });

  test('fastOpen: a client of this key pair offers exactly that', async () => {
    const { encapsulationKey } = await backend.generateKeyPair(bytes(v1.inputs.keySeed));
    expect(fastOpenProtocols([], plainHello(encapsulationKey))).toEqual(['pqws1', v1.fastOpen.token]);
    count('fastOpen');
  });

  each('fastOpen.offered', v1.fastOpen.offered, ({ application, protocols, select }) => {
    const { clientHello } = v1.fastOpen;
    expect(fastOpenProtocols(application, clientHello)).toEqual([...protocols]);
    const received = readOffer(protocols);
    expect(received).toEqual({ application: [...application], fastOpen: true, clientHello });
    expect(selectFrom(received, application)).toBe(select);
    expect(selectFrom(received, [])).toBe(application.length > 0 ? undefined : 'pqws1');
  });

  each('fastOpen.ignoredTokens', v1.fastOpen.ignoredTokens, async ({ protocols }) => {
    const server = new VectorEnd('server', backend, { earlyHello: readOffer(protocols).clientHello });
    server.session.start();
    await server.settle();
    expect(server.session.state).toBe('server: awaiting client hello');
    // It answers the text instead.
    await server.throughFinished();
  });

  const answeredEarly = async (): Promise<VectorEnd> => {
    const server = new VectorEnd('server', backend, { earlyHello: v1.fastOpen.clientHello });
    server.session.start();
    await server.settle();
    expect(server.wire).toEqual([v1.session.serverHello, v1.session.serverFinished.frame]);
    return server;
  };

  each('fastOpen.refusedFirstMessages', v1.fastOpen.refusedFirstMessages, async ({ message, code }) => {
    const server = await answeredEarly();
    await server.receive(wire(message));
    expectRefused(server, code);
  });

  test('fastOpen: the same handshake, answered before the text', async () => {
    const server = await answeredEarly();
    await server.receive(v1.fastOpen.clientHello);
    await server.receive(bytes(v1.session.clientFinished.frame));
    expect(server.session.state).toBe('open');
    count('fastOpen');
  });
});

describe('the whole file', () => {
  test('every value has been read', () => {
    const explained = ['/inputs/nonces'];
    expect(unreadPaths().filter((path) => !explained.some((prefix) => path.startsWith(prefix)))).toEqual([]);
  });
  test('cases were run, and are counted', () => {
    expect(Math.min(...counts.values())).toBeGreaterThan(0);
    const report = [...counts].map(([section, ran]) => `${section} ${ran}`).join(', ');
    console.log(`v1.json, cases over all backends: ${report}.`);
  });
});
