// What Supabase Realtime says on Phoenix channels (supabase.com/docs/guides/realtime/protocol): broadcast, presence, and changes of a
// database. A stand-in: in front of a real Realtime server goes the gateway.
import { WebSocketServer } from 'pq-websocket/ws';
import { decodeBytes, encodeBytes, serveChannels } from '../phoenix/server.js';

const USER_BROADCAST_PUSH = 3;
const USER_BROADCAST = 4;

export function startServer(port = 8080) {
  const server = new WebSocketServer({ port, host: '127.0.0.1' });
  const members = new Set();
  const others = (member) =>
    [...members].filter(
      (each) => each.topic === member.topic && (each !== member || member.payload.config.broadcast.self),
    );
  const present = (topic) =>
    Object.fromEntries(
      [...members]
        .filter((each) => each.topic === topic && each.state !== undefined)
        .map(({ key, state }) => [key, { metas: [{ phx_ref: key, ...state }] }]),
    );
  const say = ({ socket, topic }, event, payload) => socket.send(JSON.stringify([null, null, topic, event, payload]));

  const realtime = {
    join(member) {
      members.add(member);
      member.socket.once('close', () => realtime.phx_leave(member));
      member.key = member.payload.config.presence.key || String(members.size);
      const changes = member.payload.config.postgres_changes ?? [];
      return { postgres_changes: changes.map((change, index) => ({ id: index + 1, ...change })) };
    },
    joined(member) {
      say(member, 'presence_state', present(member.topic));
      if ((member.payload.config.postgres_changes ?? []).length > 0)
        say(member, 'system', {
          extension: 'postgres_changes',
          status: 'ok',
          message: 'Subscribed to PostgreSQL',
          channel: member.topic,
        });
    },
    phx_leave: (member) => {
      members.delete(member);
    },
    presence(member, { event, payload }) {
      const before = present(member.topic);
      member.state = event === 'track' ? payload : undefined;
      const [gone, come] = event === 'track' ? [{}, present(member.topic)] : [before, {}];
      const only = (of) => (of[member.key] === undefined ? {} : { [member.key]: of[member.key] });
      for (const each of members)
        if (each.topic === member.topic) say(each, 'presence_diff', { joins: only(come), leaves: only(gone) });
    },
    access_token() {},
  };

  /** A broadcast comes and goes as bytes, its payload JSON or not. */
  function binary(data, joined) {
    if (data[0] !== USER_BROADCAST_PUSH) return;
    // Five lengths, and the encoding, which is no length, behind them.
    const encoding = data[6];
    const [joinRef, ref, topic, event, metadata, payload] = decodeBytes(
      Buffer.concat([data.subarray(0, 6), data.subarray(7)]),
      5,
    );
    const member = joined.get(topic);
    if (member === undefined) return;
    const header = Buffer.from([encoding]);
    const frame = encodeBytes(USER_BROADCAST, [topic, event, metadata], Buffer.alloc(0));
    for (const { socket } of others(member))
      socket.send(Buffer.concat([frame.subarray(0, 4), header, frame.subarray(4), payload]));
    if (ref !== '')
      member.socket.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status: 'ok', response: {} }]));
  }

  serveChannels(server, '/realtime/v1', { realtime, binary });
  /** A row of the table has changed. */
  function change(topic, type, record) {
    for (const member of members)
      if (member.topic === `realtime:${topic}`)
        say(member, 'postgres_changes', {
          ids: [1],
          data: {
            schema: 'public',
            table: 'notes',
            type,
            record,
            columns: [{ name: 'text', type: 'text' }],
            commit_timestamp: new Date().toISOString(),
            errors: null,
          },
        });
  }
  return new Promise((resolve) => {
    server.once('listening', () =>
      resolve({ port: server.address().port, server, change, close: () => server.close() }),
    );
  });
}
