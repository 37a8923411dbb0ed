/** `pq-websocket/login`: what is said on one connection is worth nothing on another, to anybody in between, or when it is said back. */
import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { acceptLogin, confirmLogin, loginMessage, tokenId } from '../../src/login.ts';
import { connect, connected, MODES, secureServer, useMode } from '../support/endpoints.ts';

const TOKEN = randomBytes(32);
const tokenOf = (id: string): Uint8Array | undefined => (id === 'alice' ? TOKEN : undefined);
const open = async (): ReturnType<typeof connected> => connected(await secureServer());

describe.each(MODES)('%s', (mode) => {
  useMode(mode);

  test('each end proves to the other that it has the token', async () => {
    const { client, peer } = await open();
    client.socket.send(await loginMessage(client.socket, TOKEN, 'alice'));
    const accepted = await acceptLogin(peer.socket, await peer.seen.next(), tokenOf);
    expect(accepted).toMatchObject({ id: 'alice' });
    peer.socket.send(accepted?.answer ?? '');
    expect(await confirmLogin(client.socket, TOKEN, await client.seen.next(), 'alice')).toBe(true);
  });

  test('by the token alone: its id finds it and does not tell it', async () => {
    const text = TOKEN.toString('base64url');
    const id = await tokenId(text);
    expect(id).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(text).not.toContain(id.slice(0, 8));
    const { client, peer } = await open();
    const message = await loginMessage(client.socket, text);
    expect(message).not.toContain(text);
    const accepted = await acceptLogin(peer.socket, message, (asked) => (asked === id ? text : undefined));
    expect(accepted?.id).toBe(id);
    expect(await confirmLogin(client.socket, text, accepted?.answer)).toBe(true);
    expect(await confirmLogin(client.socket, randomBytes(32), accepted?.answer)).toBe(false);
  });
});

test('the proof is HKDF-SHA-256 of the token, salted with the channel', async () => {
  const { client } = await open();
  const { bound } = JSON.parse(await loginMessage(client.socket, TOKEN, 'alice')) as { bound: string };
  const channel = await client.socket.pq.exportKey('EXPORTER-pq-websocket-login', 32);
  // RFC 5869, extract and then one block of expand.
  const key = createHmac('sha256', channel).update(TOKEN).digest();
  const wanted = createHmac('sha256', key).update('pq-websocket login client\0alice').update(Uint8Array.of(1));
  expect(bound).toBe(wanted.digest('base64'));
});

test('a message of one connection is refused on another, and its answer too', async () => {
  const [one, two] = [await open(), await open()];
  const message = await loginMessage(one.client.socket, TOKEN, 'alice');
  expect(await acceptLogin(two.peer.socket, message, tokenOf)).toBeUndefined();
  const accepted = await acceptLogin(one.peer.socket, message, tokenOf);
  expect(await confirmLogin(two.client.socket, TOKEN, accepted?.answer, 'alice')).toBe(false);
  expect(await confirmLogin(one.client.socket, TOKEN, accepted?.answer, 'alice')).toBe(true);
});

test('somebody in between, who passes all on, is found out by both ends', async () => {
  const server = await secureServer();
  const middle = await secureServer({
    onPeer: ({ socket }) => {
      const onward = connect(server.url);
      socket.on('message', (data) => {
        onward.socket.send(data.toString());
      });
      onward.socket.addEventListener('message', (event) => {
        socket.send(event.data as string);
      });
      onTestFinished(() => {
        onward.socket.close();
      });
    },
  });
  const { socket } = (await connected(middle)).client;
  const victim = await server.nextPeer();
  socket.send(await loginMessage(socket, TOKEN, 'alice'));
  expect(await acceptLogin(victim.socket, await victim.seen.next(), tokenOf)).toBeUndefined();
});

test('the client’s own proof, said back, is no answer', async () => {
  const { client } = await open();
  expect(await confirmLogin(client.socket, TOKEN, await loginMessage(client.socket, TOKEN, 'alice'), 'alice')).toBe(
    false,
  );
});

test('an unknown id, another’s id, a wrong token, and what is no login at all: the same refusal', async () => {
  const { client, peer } = await open();
  const { bound } = JSON.parse(await loginMessage(client.socket, TOKEN, 'alice')) as { bound: string };
  for (const message of [
    await loginMessage(client.socket, TOKEN, 'bob'),
    await loginMessage(client.socket, randomBytes(32), 'alice'),
    JSON.stringify({ login: 'alice', bound: bound.slice(0, -4) }),
    JSON.stringify({ login: 'alice', bound: `${bound} ` }),
    JSON.stringify({ login: 'alice' }),
    JSON.stringify({ bound }),
    JSON.stringify({ login: ['alice'], bound }),
    JSON.stringify({ login: 'a'.repeat(257), bound }),
    `{"login":"alice","bound":"${bound}"${' '.repeat(5_000)}}`,
    ...['no JSON', '', 'null', '[]', '1'],
    new Uint8Array(3),
    undefined,
    null,
    {},
  ]) {
    expect(await acceptLogin(peer.socket, message, tokenOf)).toBeUndefined();
    expect(await confirmLogin(client.socket, TOKEN, message, 'alice')).toBe(false);
  }
});

test('a store that fails is the caller’s to hear of', async () => {
  const { client, peer } = await open();
  const message = await loginMessage(client.socket, TOKEN, 'alice');
  const failing = acceptLogin(peer.socket, message, () => Promise.reject(new Error('the store is down')));
  await expect(failing).rejects.toThrow('the store is down');
});

test('a client that leaves while its token is looked for does not make the server’s half reject', async () => {
  const { client, peer } = await open();
  const message = await loginMessage(client.socket, TOKEN, 'alice');
  const accepted = await acceptLogin(peer.socket, message, async () => {
    client.socket.close();
    await peer.seen.closed;
    return TOKEN;
  });
  expect(accepted?.id).toBe('alice');
});

// A store without types may give what it likes.
test.each([[1_234_567], [64], [{ length: 64 }], [[...TOKEN]], [new Uint32Array(8)], [TOKEN.buffer]])(
  'a token that is neither text nor bytes is refused at both ends, and none that is all zeros is made of it: %o',
  async (token) => {
    const { client, peer } = await open();
    const zeros = await loginMessage(client.socket, new Uint8Array(64), 'alice');
    await expect(acceptLogin(peer.socket, zeros, () => token as never)).rejects.toThrow(TypeError);
    await expect(loginMessage(client.socket, token as never)).rejects.toThrow(TypeError);
    await expect(tokenId(token as never)).rejects.toThrow(TypeError);
  },
);

test('short tokens, long ids and closed sockets are refused', async () => {
  const { client } = await open();
  await expect(loginMessage(client.socket, 'fifteen bytes..')).rejects.toThrow(/at least 16 bytes, got 15/);
  await expect(tokenId(new Uint8Array(15))).rejects.toThrow(RangeError);
  await expect(loginMessage(client.socket, TOKEN, 'a'.repeat(257))).rejects.toThrow(RangeError);
  client.socket.close();
  await client.seen.closed;
  await expect(loginMessage(client.socket, TOKEN, 'alice')).rejects.toThrow(/not open/);
});

test('the caller keeps its token', async () => {
  const token = randomBytes(32);
  const before = Buffer.from(token);
  await tokenId(token);
  expect(token).toEqual(before);
});
