// Phoenix channels, version 2 of the wire (Phoenix.Socket.V2.JSONSerializer): [join_ref, ref, topic, event, payload] as JSON, and
// pushes whose payload is bytes behind a header of lengths. A stand-in: in front of a real Phoenix application goes the gateway.
import { WebSocketServer } from 'pq-websocket/ws';

const PUSH = 0;
const REPLY = 1;
const BROADCAST = 2;

const isBytes = (payload) => payload instanceof Uint8Array;

/** A kind, the lengths of the texts, the texts, the payload. */
export function encodeBytes(kind, texts, payload) {
  const parts = texts.map((text) => Buffer.from(text ?? ''));
  return Buffer.concat([Buffer.from([kind, ...parts.map(({ length }) => length)]), ...parts, payload]);
}

export function decodeBytes(data, count) {
  let at = 1 + count;
  const texts = [...data.subarray(1, at)].map((length) => {
    at += length;
    return data.toString('utf8', at - length, at);
  });
  return [...texts, data.subarray(at)];
}

/** @param channels by the first word of a topic: `{ join(member), EVENT(member, payload) }`; what they return is the reply, what they throw an error's reason */
export function serveChannels(server, path, channels) {
  const members = new Set();
  const broadcast = (topic, event, payload) => {
    for (const { topic: of, socket } of members)
      if (of === topic)
        socket.send(
          isBytes(payload)
            ? encodeBytes(BROADCAST, [topic, event], payload)
            : JSON.stringify([null, null, topic, event, payload]),
        );
  };
  server.on('connection', (socket, request) => {
    if (!request.url.startsWith(`${path}/websocket`)) return socket.close(1008, 'no such socket');
    const joined = new Map();
    const reply = (joinRef, ref, topic, status, response) =>
      socket.send(
        isBytes(response)
          ? encodeBytes(REPLY, [joinRef, ref, topic, status], response)
          : JSON.stringify([joinRef, ref, topic, 'phx_reply', { status, response: response ?? {} }]),
      );
    const leave = (topic) => {
      members.delete(joined.get(topic));
      joined.delete(topic);
    };
    function act(joinRef, ref, topic, event, payload) {
      if (topic === 'phoenix') return reply(null, ref, topic, 'ok'); // a heartbeat
      const channel = channels[topic.split(':')[0]];
      const isJoin = event === 'phx_join';
      const member = isJoin ? { topic, socket, payload, broadcast: broadcast.bind(null, topic) } : joined.get(topic);
      try {
        if (member === undefined) throw new Error('unmatched topic');
        if (event === 'phx_leave') leave(topic);
        const answer = isJoin ? channel.join(member) : channel[event]?.(member, payload);
        if (isJoin) members.add(member);
        if (isJoin) joined.set(topic, member);
        if (ref) reply(joinRef, ref, topic, 'ok', answer);
        if (isJoin) channel.joined?.(member, joinRef);
      } catch (error) {
        reply(joinRef, ref, topic, 'error', { reason: error.message });
      }
    }
    socket.on('message', (data, isBinary) => {
      if (!isBinary) act(...JSON.parse(data));
      else if (data[0] === PUSH) act(...decodeBytes(data, 4));
      else channels.binary?.(data, joined);
    });
    socket.on('close', () => [...joined.keys()].forEach(leave));
  });
  return { broadcast };
}

const room = {
  join(member) {
    if (member.payload.name === undefined) throw new Error('a name is needed');
  },
  say(member, { text }) {
    member.broadcast('said', { name: member.payload.name, text });
    return { length: text.length };
  },
  picture(member, bytes) {
    member.broadcast('shown', bytes);
    return bytes;
  },
};

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const { broadcast } = serveChannels(server, '/socket', { room });
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, broadcast, close: () => server.close() }),
    );
  });
}
