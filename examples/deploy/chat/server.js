/**
 * One of several chat servers that share one conversation through Redis. Plain `ws`: the gateway in front of it ends the
 * secure layer, and a load balancer in front of that may send a client anywhere.
 *
 *     node server.js PORT [REDIS]        REDIS is a URL or the path of a unix socket; HOST, a variable, is where it listens
 *
 * A client says {"say": TEXT, "id": ID} and keeps it until {"ack": ID} comes back: by then the message is in Redis. Said
 * twice, since an acknowledgement got lost, it is there once. {"from": N} asks for message N and all that follow.
 */
import { createClient } from 'redis';
import { WebSocketServer } from 'ws';

const [port = '8080', where = 'redis://127.0.0.1:6379'] = process.argv.slice(2);
const redis = createClient(where.startsWith('/') ? { socket: { path: where } } : { url: where });
const subscriber = redis.duplicate();
for (const client of [redis, subscriber]) {
  client.on('error', (error) => console.error(`redis: ${error.message}`));
  await client.connect();
}

/** In one step: note the id, append the message, tell every process; or give the number that the id has already. */
const APPEND = `
  local number = redis.call('HGET', 'chat:ids', ARGV[1])
  if number then return tonumber(number) end
  number = redis.call('RPUSH', 'chat:log', ARGV[2]) - 1
  redis.call('HSET', 'chat:ids', ARGV[1], number)
  redis.call('PUBLISH', 'chat:news', number)
  return number`;

/** The whole log as far as this process has read it; Redis holds the truth. */
const log = [];
const readers = new Set();
let reading;

/** Reads what is new, once at a time, and gives every client what it lacks. */
function catchUp() {
  reading = (reading ?? Promise.resolve()).then(async () => {
    log.push(...(await redis.lRange('chat:log', log.length, -1)));
    for (const reader of readers) reader();
  });
  return reading;
}

await subscriber.subscribe('chat:news', () => void catchUp());
await catchUp();

const server = new WebSocketServer({
  port: Number(port),
  host: process.env.HOST ?? '127.0.0.1',
  perMessageDeflate: false,
});
server.on('connection', (socket) => {
  let next = Infinity;
  const give = () => {
    for (; next < log.length; next += 1) socket.send(JSON.stringify({ number: next, ...JSON.parse(log[next]) }));
  };
  readers.add(give);
  socket.on('close', () => readers.delete(give));
  socket.on('message', async (data) => {
    const { say, id, from } = JSON.parse(data.toString());
    if (from !== undefined) {
      next = from;
      give();
    } else {
      await redis.eval(APPEND, { arguments: [id, JSON.stringify({ id, text: say })] });
      socket.send(JSON.stringify({ ack: id }));
    }
  });
});
server.on('listening', () => console.log(`listening ${server.address().port}`));
