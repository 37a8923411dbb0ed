// The core of the NATS protocol (docs.nats.io, "Client Protocol") as nats-server speaks it over WebSockets: subjects with
// wildcards, queue groups, requests and headers. A stand-in: in front of a real nats-server goes the gateway.
import { WebSocketServer } from 'pq-websocket/ws';

const LINE = /^(.*?)\r\n/;
/** As nats-server has them by default. */
const MAX_LINE = 4096;
const MAX_PAYLOAD = 1_048_576;

function matches(pattern, subject) {
  const [want, have] = [pattern.split('.'), subject.split('.')];
  if (want.at(-1) === '>')
    return have.length >= want.length && want.slice(0, -1).every((each, i) => each === '*' || each === have[i]);
  return want.length === have.length && want.every((each, i) => each === '*' || each === have[i]);
}

/** @returns the payload's, which is the last word; undefined where it is no number of bytes */
function sizeIn(words) {
  const last = words.at(-1) ?? '';
  return /^\d{1,9}$/.test(last) ? Number(last) : undefined;
}

/** Publications go to every plain subscription, and to one of each queue group. */
function receivers(clients, subject) {
  const found = [];
  const groups = new Set();
  for (const client of clients)
    for (const { pattern, queue, sid } of client.subscriptions.values()) {
      if (!matches(pattern, subject) || groups.has(queue)) continue;
      if (queue !== undefined) groups.add(queue);
      found.push({ client, sid });
    }
  return found;
}

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const clients = new Set();
  server.on('connection', (socket) => {
    const client = {
      subscriptions: new Map(),
      say: (text, ...rest) => socket.send(Buffer.concat([Buffer.from(`${text}\r\n`), ...rest])),
    };
    clients.add(client);
    let unread = Buffer.alloc(0);
    let isOver = false;
    function refuse(why) {
      isOver = true;
      client.say(`-ERR '${why}'`);
      socket.close(1008, why);
      return false;
    }
    /** @returns whether there was a whole operation to act on */
    function step() {
      const line = LINE.exec(unread.subarray(0, MAX_LINE).toString('latin1'));
      if (line === null) return unread.length >= MAX_LINE ? refuse('Maximum Control Line Exceeded') : false;
      const [operation, ...words] = line[1].trim().split(/\s+/);
      const start = line[0].length;
      const isPublication = /^H?PUB$/i.test(operation);
      const size = isPublication ? sizeIn(words) : 0;
      if (size === undefined) return refuse('Parser Error');
      if (size > MAX_PAYLOAD) return refuse('Maximum Payload Violation');
      const end = isPublication ? start + size + 2 : start;
      if (unread.length < end) return false;
      const payload = unread.subarray(start, start + size);
      unread = unread.subarray(end);
      try {
        act(operation.toUpperCase(), words, payload, line[1]);
      } catch {
        // The JSON of CONNECT.
        return refuse('Parser Error');
      }
      return true;
    }
    function act(operation, words, payload, line) {
      if (operation === 'PING') client.say('PONG');
      else if (operation === 'CONNECT' && JSON.parse(line.slice(line.indexOf('{'))).verbose) client.say('+OK');
      else if (operation === 'SUB')
        client.subscriptions.set(words.at(-1), {
          pattern: words[0],
          queue: words.length === 3 ? words[1] : undefined,
          sid: words.at(-1),
        });
      else if (operation === 'UNSUB') client.subscriptions.delete(words[0]);
      else if (operation === 'PUB' || operation === 'HPUB') {
        const sizes = words.slice(operation === 'HPUB' ? -2 : -1);
        const [subject, replyTo = ''] = words.slice(0, words.length - sizes.length);
        for (const { client: to, sid } of receivers(clients, subject))
          to.say(
            `${operation === 'HPUB' ? 'HMSG' : 'MSG'} ${subject} ${sid} ${replyTo} ${sizes.join(' ')}`,
            payload,
            Buffer.from('\r\n'),
          );
      }
    }
    client.say(
      `INFO ${JSON.stringify({ server_id: 'example', version: '2.10.0', proto: 1, max_payload: MAX_PAYLOAD, headers: true })}`,
    );
    socket.on('message', (data) => {
      if (isOver) return;
      unread = Buffer.concat([unread, data]);
      while (step());
    });
    socket.on('close', () => clients.delete(client));
  });
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, close: () => server.close() }));
  });
}
