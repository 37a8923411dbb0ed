/** What a server that echoes must do in any framework: the example's, with the standard's client. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { PQWebSocket } from 'pq-websocket';
import { WebSocket as PlainSocket } from 'ws';

/** A socket whose messages are awaited one by one. */
export function open(url, protocols) {
  const socket = new PQWebSocket(url, protocols);
  socket.binaryType = 'arraybuffer';
  const messages = [];
  let wake = () => undefined;
  socket.onmessage = ({ data }) => {
    messages.push(data);
    wake();
  };
  const next = async () => {
    while (messages.length === 0)
      await new Promise((resolve) => {
        wake = resolve;
      });
    return messages.shift();
  };
  const opened = new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(socket.pq.failure ?? new Error('no connection'));
  });
  const closed = new Promise((resolve) => {
    socket.onclose = resolve;
  });
  opened.catch(() => undefined);
  return { socket, opened, closed, next };
}

/**
 * @param path of the server's WebSocket
 * @param runClient the example's
 * @param expected what it gives for a text
 */
export function serverCases(path, runClient, expected = (text) => [text, '4000 see you']) {
  return {
    async 'the example'({ url, secret }) {
      const text = secret('echo');
      assert.deepEqual(await runClient(url, text), expected(text));
    },
    async 'a message sent before open, text, binary, empty, 1 MiB: each comes back as it was, in order'({
      url,
      secret,
    }) {
      const { socket, next, closed } = open(`${url}${path}`);
      const marker = secret('binary');
      const large = new Uint8Array(randomBytes(1024 * 1024));
      large.set(new TextEncoder().encode(marker), 777);
      const said = [
        secret('early'),
        new TextEncoder().encode(marker),
        'ünï – ',
        new Uint8Array(0),
        large,
        secret('late'),
      ];
      for (const each of said) socket.send(each);
      for (const each of said) {
        const heard = await next();
        if (typeof each === 'string') assert.equal(heard, each);
        else assert(Buffer.from(heard).equals(Buffer.from(each)));
      }
      socket.close();
      await closed;
    },
    async 'ten clients at once'({ url, secret }) {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const text = secret('crowd');
          const { socket, next, closed } = open(`${url}${path}`);
          socket.send(text);
          assert.equal(await next(), text);
          socket.close();
          await closed;
        }),
      );
    },
    async 'the client’s own code and reason, answered cleanly'({ url, secret }) {
      const { socket, opened, closed } = open(`${url}${path}`);
      await opened;
      const reason = secret('leaving');
      socket.close(4321, reason);
      const { code, reason: said, wasClean } = await closed;
      assert.deepEqual([code, said, wasClean], [4321, reason, true]);
    },
    ...refusesPlain(path),
  };
}

/** A client that speaks no secure channel is closed, and hears nothing of the application. */
export function refusesPlain(path) {
  return {
    async 'a plain client is closed, and not answered'({ server }) {
      const client = new PlainSocket(`ws://127.0.0.1:${server.port}${path}`);
      const heard = [];
      client.on('message', (data) => heard.push(String(data)));
      client.on('open', () => client.send('hello in clear'));
      const code = await new Promise((resolve) => {
        client.on('close', resolve);
      });
      assert.deepEqual(heard, []);
      assert(code >= 3768 && code <= 3773, `closed with ${code}`);
    },
  };
}
