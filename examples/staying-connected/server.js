// The other end: conversations outlive their connections here too, in memory and for a while.
import { randomBytes } from 'node:crypto';
import { acceptLogin } from 'pq-websocket/login';
import { WebSocketServer } from 'pq-websocket/ws';
import { Conversation } from './conversation.js';

const HEARTBEAT = { interval: 20_000, timeout: 10_000 };

/**
 * @param heard called with each message and the conversation that it is of, which has `send(data)`
 * @param keep milliseconds that a conversation without a connection is kept
 */
export function startServer(heard, { port = 8080, keep = 600_000, heartbeat = HEARTBEAT, ...options } = {}) {
  const conversations = new Map();
  const server = new WebSocketServer({ port, host: '127.0.0.1', heartbeat, ...options });

  /** @returns the conversation that a connection's first message begins or resumes, and the answer to it */
  async function find(socket, text) {
    const { first, received } = JSON.parse(text);
    const login = await acceptLogin(socket, first, (id) => conversations.get(id)?.token);
    if (login !== undefined) return { kept: conversations.get(login.id), first: login.answer, received };
    if (JSON.parse(first).begin !== true) return undefined;
    const id = randomBytes(16).toString('base64');
    const token = randomBytes(32).toString('base64');
    const conversation = new Conversation((data) => heard(data, conversation));
    const kept = { id, token, conversation, socket: undefined, timer: undefined };
    conversations.set(id, kept);
    return { kept, first: { id, token }, received };
  }

  function forget({ id, conversation, timer }) {
    clearTimeout(timer);
    conversations.delete(id);
    conversation.fail(new Error('the client has gone'));
  }

  function goOn({ kept, first, received }, socket) {
    clearTimeout(kept.timer);
    // The old connection may not know yet that it is dead. What it still holds will be said again on this one.
    kept.socket?.removeAllListeners('message');
    kept.socket?.terminate();
    kept.socket = socket;
    socket.send(JSON.stringify({ first, received: kept.conversation.received }));
    kept.conversation.attach(socket, received);
  }

  server.on('connection', (socket) => {
    let found; // a promise, from the first message on
    socket.on('message', async (data) => {
      try {
        if (found === undefined) {
          found = find(socket, data.toString());
          const it = await found;
          if (it === undefined) socket.close(4401, 'who are you?');
          else if (socket.readyState === socket.OPEN) goOn(it, socket);
          else whenGone(it.kept, socket, 1006);
        } else {
          const it = await found;
          if (it?.kept.socket === socket) it.kept.conversation.take(data.toString());
        }
      } catch {
        socket.close(4400, 'that is no conversation');
      }
    });
    socket.on('error', () => undefined); // 'close' follows, and tells what matters
    socket.on('close', async (code) => {
      const it = await found?.catch(() => undefined);
      if (it !== undefined) whenGone(it.kept, socket, code);
    });
  });

  function whenGone(kept, socket, code) {
    kept.conversation.detach(socket);
    if (kept.socket !== undefined && kept.socket !== socket) return; // another connection has it
    kept.socket = undefined;
    clearTimeout(kept.timer);
    if (code === 1000) forget(kept);
    else kept.timer = setTimeout(forget, keep, kept).unref();
  }

  const close = () => {
    for (const kept of conversations.values()) forget(kept);
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, conversations, close }));
  });
}
