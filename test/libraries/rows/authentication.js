import assert from 'node:assert/strict';
import { PQWebSocket } from 'pq-websocket';
import { loginMessage } from 'pq-websocket/login';
import { WebSocketServer } from 'pq-websocket/ws';
import { runClient, withLogin, withToken } from '../../../examples/authentication/client.js';
import { startServer } from '../../../examples/authentication/server.js';

const SECRET = 'the token of alice, from her last visit';
const TOKEN = 'a bearer token of carol';

const message = (socket) =>
  new Promise((resolve) => {
    socket.addEventListener('message', ({ data }) => resolve(data), { once: true });
  });
const closed = (socket) =>
  new Promise((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => resolve(`${code} ${reason}`), { once: true });
  });
const opened = (socket) =>
  new Promise((resolve) => {
    socket.addEventListener('open', resolve, { once: true });
  });

/** Somebody with a server of their own, to whom a client that pins no key comes: `answer` says what they do with its messages. */
async function impostor(answer) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', answer);
  await new Promise((resolve) => server.once('listening', resolve));
  return { url: `ws://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Passes every message on to the real server, and back. */
const relayTo = (url) =>
  impostor((victim) => {
    const real = new PQWebSocket(url);
    victim.on('message', (data) => real.send(data.toString()));
    real.addEventListener('message', ({ data }) => victim.send(data));
    real.addEventListener('close', ({ code, reason }) => victim.close(code, reason));
  });

export default {
  library: 'pq-websocket',
  page: 'authentication',
  side: 'client and server',
  plug: [
    'socket.send(JSON.stringify({ token })) // before open',
    'socket.send(await loginMessage(socket, token, user)) // of pq-websocket/login',
  ],
  words: ['"token"', '"bound"', '"login"', 'who are you?'],
  async start({ hide }) {
    hide(SECRET);
    hide(TOKEN);
    return startServer(0, 1_000);
  },
  cases: {
    async 'the example: a token that is said, and one that stays'({ url, secret }) {
      const text = secret('said');
      assert.deepEqual(await runClient(url, text), [`carol said: ${text}`, `alice said: ${text}`]);
    },
    async 'what is queued behind the token is heard after it, in order'({ url, secret }) {
      const socket = withToken(url, TOKEN);
      const texts = [secret('one'), secret('two')];
      for (const text of texts) socket.send(text);
      const heard = [];
      await new Promise((resolve) => {
        socket.onmessage = ({ data }) => heard.push(data) === 2 && resolve();
      });
      assert.deepEqual(
        heard,
        texts.map((text) => `carol said: ${text}`),
      );
      socket.close();
    },
    async 'a wrong token, an unknown user, a wrong secret, no JSON, and silence: 4401, and nothing is answered'({
      url,
      secret,
    }) {
      const spoken = (first) => {
        const socket = new PQWebSocket(url);
        socket.addEventListener('message', () => assert.fail('it was answered'));
        if (first !== undefined) socket.send(first);
        socket.send('let me in');
        return closed(socket);
      };
      const wrong = [
        { token: secret('wrong') },
        { login: 'mallory', bound: 'AAAA' },
        { login: 'alice', bound: btoa('?'.repeat(32)) },
        { login: 'alice' },
      ].map((each) => JSON.stringify(each));
      for (const first of [...wrong, 'no JSON', 'null']) assert.equal(await spoken(first), '4401 who are you?');
      const silent = new PQWebSocket(url);
      assert.equal(await closed(silent), '4401 who are you?');
      await assert.rejects(withLogin(url, 'alice', secret('a guess of some length')), /4401/);
    },
    async 'a proof of one connection is worth nothing on another'({ url }) {
      const first = new PQWebSocket(url);
      await opened(first);
      const message = await loginMessage(first, SECRET, 'alice');
      const second = new PQWebSocket(url);
      second.send(message);
      assert.equal(await closed(second), '4401 who are you?');
      first.close();
    },
    async 'somebody in the middle who passes everything on gets a refusal: the channels differ'({ server }) {
      const middle = await relayTo(`ws://127.0.0.1:${server.port}`);
      await assert.rejects(withLogin(middle.url, 'alice', SECRET), /4401/);
      middle.close();
    },
    async 'a server that says the client’s own proof back is found out: each direction has its label'() {
      const mirror = await impostor((victim) =>
        victim.on('message', (data) => victim.send(JSON.stringify({ bound: JSON.parse(data).bound }))),
      );
      await assert.rejects(withLogin(mirror.url, 'alice', SECRET), /does not have the token/);
      mirror.close();
    },
    async 'a bearer token does reach whoever the server is, which is why the page tells to pin keys'({ server }) {
      const middle = await relayTo(`ws://127.0.0.1:${server.port}`);
      const socket = withToken(middle.url, TOKEN);
      socket.send('overheard');
      assert.equal(await message(socket), 'carol said: overheard');
      const pinned = withToken(middle.url, TOKEN, { serverKeys: `sha256:${'0'.repeat(64)}` });
      await closed(pinned);
      assert.match(pinned.pq.failure.code, /SIGNATURE|IDENTITY/);
      socket.close();
      middle.close();
    },
  },
};
