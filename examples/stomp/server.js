// A broker of STOMP 1.2 (stomp.github.io): topics, receipts, acknowledgements, heart-beats. A stand-in: in front of RabbitMQ, ActiveMQ
// or Spring goes the gateway.
import { WebSocketServer } from 'pq-websocket/ws';

const PLAIN = { '\\r': '\r', '\\n': '\n', '\\c': ':', '\\\\': '\\' };
const ESCAPED = Object.fromEntries(Object.entries(PLAIN).map(([escaped, plain]) => [plain, escaped]));
const HEART_BEAT_MS = 1_000;

function parse(data) {
  const end = data.indexOf('\n\n');
  const [command, ...lines] = data.toString('utf8', 0, end).trimStart().split(/\r?\n/);
  const headers = {};
  for (const line of lines) {
    const [name, value] = line.split(':').map((part) => part.replace(/\\[rnc\\]/g, (escaped) => PLAIN[escaped]));
    headers[name] ??= value; // of repeated ones the first counts
  }
  const length = headers['content-length'];
  const body = data.subarray(end + 2, length === undefined ? data.indexOf(0, end) : end + 2 + Number(length));
  return { command, headers, body };
}

function frame(command, headers, body = Buffer.alloc(0)) {
  const escape = (text) => String(text).replace(/[\r\n:\\]/g, (plain) => ESCAPED[plain]);
  const lines = Object.entries(headers).map(([name, value]) => `${escape(name)}:${escape(value)}\n`);
  return Buffer.concat([
    Buffer.from(`${command}\n${lines.join('')}content-length:${body.length}\n\n`),
    body,
    Buffer.from([0]),
  ]);
}

export function startServer(port = 8080, passcode = undefined) {
  const server = new WebSocketServer({
    port,
    host: '127.0.0.1',
    handleProtocols: (offered) => (offered.has('v12.stomp') ? 'v12.stomp' : false),
  });
  const subscriptions = new Set();
  let count = 0;
  server.on('connection', (socket) => {
    let beat;
    const end = (error) => {
      socket.send(frame('ERROR', { message: error }).toString());
      socket.close();
    };
    const acts = {
      CONNECT(headers) {
        if (passcode !== undefined && headers.passcode !== passcode) return end('wrong passcode');
        socket.send(
          frame('CONNECTED', { version: '1.2', 'heart-beat': `${HEART_BEAT_MS},${HEART_BEAT_MS}` }).toString(),
        );
        if (!headers['heart-beat']?.endsWith(',0')) beat = setInterval(() => socket.send('\n'), HEART_BEAT_MS);
      },
      SUBSCRIBE: ({ id, destination }) => subscriptions.add({ id, destination, socket }),
      UNSUBSCRIBE({ id }) {
        for (const each of subscriptions) if (each.socket === socket && each.id === id) subscriptions.delete(each);
      },
      SEND({ destination, ...headers }, body, isBinary) {
        // What was between the sender and the broker.
        delete headers.receipt;
        delete headers['content-length'];
        for (const { id, destination: of, socket: to } of subscriptions) {
          if (of !== destination) continue;
          count += 1;
          const message = frame('MESSAGE', { ...headers, destination, subscription: id, 'message-id': count }, body);
          to.send(message, { binary: isBinary });
        }
      },
      ACK() {},
      DISCONNECT() {},
    };
    acts.STOMP = acts.CONNECT;
    socket.on('message', (data, isBinary) => {
      if (data.length <= 2) return; // a heart-beat is an end of line
      const { command, headers, body } = parse(data);
      if (acts[command] === undefined) return end('unknown command');
      acts[command](headers, body, isBinary);
      if (headers.receipt !== undefined) socket.send(frame('RECEIPT', { 'receipt-id': headers.receipt }).toString());
    });
    socket.on('close', () => {
      clearInterval(beat);
      for (const each of subscriptions) if (each.socket === socket) subscriptions.delete(each);
    });
  });
  return new Promise((resolve) => {
    server.once('listening', () => resolve({ port: server.address().port, server, close: () => server.close() }));
  });
}
