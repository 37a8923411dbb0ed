/** What a mutation of src/protocol/yellowpages*.ts survived elsewhere: each test fails when the check that it names is gone. */
import { describe, expect, test } from 'vitest';
import { toBase64 } from '../../src/base/bytes.ts';
import { MAX_SERVER_HELLO_BYTES } from '../../src/protocol/yellowpages/hellos.ts';
import { BACKENDS, ProfilePair } from '../support/profile-pair.ts';
import type { ProfilePairOptions } from '../support/profile-pair.ts';

function pairOf(options: ProfilePairOptions = {}): ProfilePair {
  return new ProfilePair({ ...options, both: { profile: 'yellowpages', ...options.both } });
}

describe('a client whose verifier would accept anything', () => {
  /** @param change makes of a ServerHello without a document what the client gets */
  async function refusal(change: (hello: string) => string): Promise<unknown> {
    const judged: unknown[] = [];
    const verify = (document: unknown): void => {
      judged.push(document);
    };
    const pair = pairOf({ client: { yellowpages: { verify } } });
    pair.client.session.start();
    pair.deliver('client');
    pair.client.session.receive(change(pair.server.sent[0] as string));
    await pair.settle();
    expect(judged).toEqual([]);
    return pair.client.failure;
  }
  const withDocument =
    (json: string) =>
    (hello: string): string =>
      hello.replace(/}$/, `,"auth_attestation_doc":${json}}`);

  test('is given no document that is not there', async () => {
    expect(await refusal((hello) => hello)).toMatchObject({ code: 'PQ_ERR_ATTESTATION_MISSING', closeCode: 3770 });
  });

  test.each(['null', '17', '""', '"AA"', '"AB=="', '" AA=="', '["AA=="]'])(
    'is given no document that is %s',
    async (json) => {
      expect(await refusal(withDocument(json))).toMatchObject({ code: 'PQ_ERR_ATTESTATION_REFUSED', closeCode: 3770 });
    },
  );
});

describe("a server's document", () => {
  test('that cannot be made fails the connection with its cause, before anything is sent', async () => {
    const cause = new Error('no enclave');
    const pair = await pairOf({ server: { yellowpages: { attest: () => Promise.reject(cause) } } }).connect();
    expect(pair.server.failure).toMatchObject({ code: 'PQ_ERR_IDENTITY', closeCode: 1011 });
    expect(pair.server.failure?.cause).toBe(cause);
    expect(pair.server.sent).toEqual([]);
  });

  test('may fill a ServerHello of 65,536 bytes, and no more', async () => {
    const attesting = (bytes: number): Promise<ProfilePair> =>
      pairOf({ server: { yellowpages: { attest: () => new Uint8Array(bytes) } } }).connect();
    const bare = (await pairOf().connect()).server.sent[0] as string;
    const room = MAX_SERVER_HELLO_BYTES - bare.length - ',"auth_attestation_doc":""'.length;
    // In base64 three bytes are four characters; what is left over fills no group.
    const most = Math.floor(room / 4) * 3;
    const fits = await attesting(most);
    expect((fits.server.sent[0] as string).length).toBeGreaterThan(MAX_SERVER_HELLO_BYTES - 4);
    expect([fits.client.session.state, fits.server.session.state]).toEqual(['open', 'open']);
    const tooLong = await attesting(most + 1);
    expect(tooLong.server.failure).toMatchObject({ code: 'PQ_ERR_IDENTITY', closeCode: 1011 });
    expect(tooLong.server.sent).toEqual([]);
  });

  test('is canonical base64 on the wire', async () => {
    const pair = await pairOf({ server: { yellowpages: { attest: () => Uint8Array.of(255) } } }).connect();
    expect(JSON.parse(pair.server.sent[0] as string)).toMatchObject({
      auth_attestation_doc: toBase64(Uint8Array.of(255)),
    });
  });
});

describe('frames', () => {
  test('are told apart by all twelve bytes of their nonces', async () => {
    for (let index = 0; index < 12; index += 1) {
      let count = 0;
      const random = <T extends Uint8Array>(target: T): T => {
        target.fill(1);
        if (target.length === 12) target[index] = count += 1;
        return target;
      };
      const pair = await pairOf({ client: { random } }).connect();
      pair.client.say('one');
      pair.client.say('two');
      await pair.pump();
      expect([pair.server.texts, count]).toEqual([['one', 'two'], 2]);
    }
  });

  test('that were sent before close() leave before it, though nobody flushed', async () => {
    const pair = await pairOf().connect();
    pair.client.send('last words');
    pair.client.close(4001, 'bye');
    await pair.pump();
    expect(pair.server.texts).toEqual(['last words']);
    expect(pair.server.outcome).toMatchObject({ code: 4001, reason: 'bye', wasClean: true });
  });

  test('that wait until the connection is open leave before `open` is told, on a backend that takes its time', async () => {
    const pair = pairOf({ backend: BACKENDS.webcrypto });
    let framesAtOpen = -1;
    const { client } = pair;
    const opened = client.opened.bind(client);
    client.opened = (): void => {
      framesAtOpen = client.frames.length;
      opened();
    };
    client.send('early');
    await pair.connect();
    expect(framesAtOpen).toBe(1);
  });
});

describe('a synchronous backend', () => {
  test('opens within the call that brings the last hello, and knows its facts then', () => {
    const pair = pairOf({ backend: BACKENDS.noble });
    pair.client.session.start();
    pair.deliver('client');
    pair.deliver('server');
    for (const { events, session } of [pair.client, pair.server]) {
      expect(events).toContain('opened');
      expect(session.channel.facts).toEqual({ transcriptHash: undefined, kem: 'ml-kem-768', nativeKem: false });
    }
  });
});

describe('the end', () => {
  test('of a transport that closes while the last frame is being sealed is told once', async () => {
    const pair = await pairOf().connect();
    const release = pair.backend.hold('seal');
    pair.client.say('held');
    pair.client.close(4001, 'own');
    expect(pair.client.session.state).toBe('closing');
    pair.client.session.transportClosed(1006);
    release();
    await pair.settle();
    expect(pair.client.events.filter((event) => event === 'closed')).toHaveLength(1);
    expect(pair.client.frames).toEqual([]);
  });

  test('that the host gives a reason for carries it as the cause, and else has none', async () => {
    const cause = new Error('why');
    for (const given of [cause, undefined]) {
      const { client } = await pairOf().connect();
      client.session.abort('PQ_ERR_INTERNAL', given);
      expect(client.failure?.cause).toBe(given);
      expect(Object.hasOwn(client.failure as object, 'cause')).toBe(given !== undefined);
    }
  });

  test('of a transport whose last frame does not open is told, with that as its failure', async () => {
    const pair = await pairOf({ backend: BACKENDS.webcrypto }).connect();
    pair.server.say('last words');
    await pair.settle();
    const [frame] = pair.server.frames;
    pair.client.session.receive((frame as Uint8Array).map((byte, index) => (index === 12 ? byte ^ 1 : byte)));
    pair.client.session.transportClosed(1000, undefined, { reason: '', wasClean: true });
    await pair.settle();
    expect(pair.client.outcome).toMatchObject({
      code: 3771,
      wasClean: false,
      failure: { code: 'PQ_ERR_RECORD', origin: 'local' },
    });
    expect(pair.client.texts).toEqual([]);
  });

  test('of a transport is told though the application closes while what came before is being opened', async () => {
    const pair = await pairOf({ backend: BACKENDS.webcrypto }).connect();
    pair.server.say('last words');
    await pair.settle();
    pair.deliver('server');
    pair.client.session.transportClosed(1000, undefined, { reason: 'done', wasClean: true });
    pair.client.close(4001, 'own');
    await pair.settle();
    expect(pair.client.outcome).toMatchObject({ code: 1000, reason: 'done' });
    expect(pair.client.events.filter((event) => event === 'closed')).toHaveLength(1);
  });

  test('that the transport brings is the failure of the session from then on', async () => {
    const { client } = await pairOf().connect();
    client.session.transportClosed(1006);
    expect(client.session.failure).toMatchObject({ code: 'PQ_ERR_TRANSPORT', origin: 'transport' });
  });

  test('there is no exporter', async () => {
    const { client } = await pairOf().connect();
    expect(() => client.session.channel.exportKey('label', 32)).toThrow(/no exporter/);
  });
});
