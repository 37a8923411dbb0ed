/** What a wire tap sees: hellos, sealed records and nothing that an application said. */
import { describe, expect, test } from 'vitest';
import { connect, connected, MODES, secureServer, useMode, withoutEchoes } from '../support/endpoints.ts';
import { assertSealed } from '../support/tap.ts';

const SECRETS = [
  'client text \u{1F512}',
  'server text caf\u00E9',
  'reason of the client',
  'reason of the server',
  'queued early',
];
const BYTES = Uint8Array.from({ length: 64 }, (_, index) => (index * 37 + 11) % 256);
const [CLIENT_TEXT, SERVER_TEXT, CLIENT_REASON, SERVER_REASON, QUEUED] = SECRETS as [
  string,
  string,
  string,
  string,
  string,
];
const ALL = [...SECRETS, BYTES];

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  test.each([
    ['native', {}],
    ['npm ws', { headers: { 'x-a': 'b' } }],
  ])('everything said, over the %s transport', async (_name, options: object) => {
    const server = await secureServer();
    const client = connect(server.url, options);
    for (const data of [QUEUED, BYTES, new Blob([QUEUED, BYTES])]) client.socket.send(data);
    const peer = await server.nextPeer();
    await client.seen.opened;
    for (let i = 0; i < 3; i += 1) {
      client.socket.send(CLIENT_TEXT.repeat(2000));
      client.socket.send(BYTES);
      peer.socket.send(SERVER_TEXT);
      peer.socket.send(new Blob([SERVER_TEXT]));
      await Promise.all([peer.seen.next(), client.seen.next()]);
    }
    client.socket.close(4321, CLIENT_REASON);
    expect(await peer.seen.closed).toEqual({ code: 4321, reason: CLIENT_REASON, wasClean: true });
    await client.seen.closed;
    assertSealed(server.tap, ALL);
  });

  test('closes by the server, crossing closes, and a close right at open', async () => {
    const server = await secureServer();
    const one = await connected(server);
    one.peer.socket.close(1011, SERVER_REASON);
    const two = await connected(server);
    two.client.socket.close(4001, CLIENT_REASON);
    two.peer.socket.close(4002, SERVER_REASON);
    const three = connect(server.url);
    three.socket.onopen = (): void => {
      three.socket.close(4003, CLIENT_REASON);
    };
    expect((await one.client.seen.closed).reason).toBe(SERVER_REASON);
    expect((await two.client.seen.closed).reason).toBe(SERVER_REASON);
    expect((await two.peer.seen.closed).reason).toBe(CLIENT_REASON);
    await three.seen.closed;
    assertSealed(server.tap, ALL);
  });

  test('a handshake that fails, a close before open, a cut, a limit', async () => {
    const server = await secureServer({ channel: { context: 'theirs', maxPayload: 1000 } });
    const failing = connect(server.url);
    failing.socket.send(QUEUED);
    const early = connect(server.url, { context: 'theirs' });
    early.socket.send(QUEUED);
    early.socket.close(4000, CLIENT_REASON);
    const cut = connect(server.url, { context: 'theirs' });
    cut.socket.onopen = (): void => {
      cut.socket.send(CLIENT_TEXT);
      server.tap.connections.at(-1)?.cut();
      cut.socket.send(CLIENT_TEXT);
      cut.socket.close(4000, CLIENT_REASON);
    };
    await Promise.all([failing.seen.closed, early.seen.closed, cut.seen.closed]);
    const tooLong = connect(server.url, { context: 'theirs' });
    tooLong.socket.send(CLIENT_TEXT.repeat(1000));
    expect(await tooLong.seen.closed).toMatchObject({ code: 3773, wasClean: false });
    assertSealed(withoutEchoes(server.tap), ALL);
  });
});

test('close() and send() in every turn of the handshake, from both ends', async () => {
  const server = await secureServer();
  let clean = 0;
  for (let turns = 0; turns < 60; turns += 1) {
    const client = connect(server.url);
    client.socket.send(QUEUED);
    const peerClosed = server.nextPeer().then(({ socket }) => {
      socket.send(SERVER_TEXT);
      if (turns % 3 === 0) socket.close(4002, SERVER_REASON);
    });
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    client.socket.send(CLIENT_TEXT);
    client.socket.close(4001, CLIENT_REASON);
    const { code, reason, wasClean } = await client.seen.closed;
    clean += wasClean ? 1 : 0;
    const expected = wasClean
      ? [
          [4001, CLIENT_REASON],
          [4002, SERVER_REASON],
        ]
      : [[1006, '']];
    expect(expected).toContainEqual([code, reason]);
    void peerClosed;
  }
  expect(clean).toBeGreaterThan(0);
  expect(clean).toBeLessThan(60);
  assertSealed(server.tap, ALL);
});
