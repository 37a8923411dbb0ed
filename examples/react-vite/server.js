// Serves the built page, and the room behind it. The room is kept in memory: a restart empties it.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { WebSocketServer } from 'pq-websocket/ws'; // was: from 'ws'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const DIST = path.join(import.meta.dirname, 'dist');
const MOST = 500;

const http = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://room');
  const file = path.join(DIST, path.normalize(pathname === '/' ? '/index.html' : pathname));
  try {
    const content = file.startsWith(DIST + path.sep) ? await readFile(file) : undefined;
    if (content === undefined) throw new Error('outside');
    response.setHeader('Content-Type', TYPES[path.extname(file)] ?? 'application/octet-stream');
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
});

const room = new WebSocketServer({ server: http, maxPayload: 64 * 1024 });
const people = new Map();
const lines = [];
let strokes = [];

function everybody(message, but) {
  const text = JSON.stringify(message);
  for (const socket of people.keys()) if (socket !== but) socket.send(text);
}

function tellPeople() {
  everybody({ type: 'people', people: [...people.values()] });
}

/** What a client may say, checked as from anybody. */
const actions = {
  hello(socket, { id, name, color }) {
    people.set(socket, {
      id: String(id).slice(0, 40),
      name: String(name).slice(0, 24),
      color: String(color).slice(0, 24),
    });
    socket.send(JSON.stringify({ type: 'room', lines, strokes }));
    tellPeople();
  },
  say(socket, { text }) {
    const { name, color } = people.get(socket);
    const line = { key: crypto.randomUUID(), name, color, text: String(text).slice(0, 500) };
    lines.push(line);
    lines.splice(0, lines.length - MOST);
    everybody({ type: 'line', line });
  },
  draw(socket, { points }) {
    if (!Array.isArray(points) || points.length > 2000 || !points.every((value) => Number.isFinite(value))) return;
    const stroke = { color: people.get(socket).color, points };
    strokes = [...strokes, stroke].slice(-MOST);
    everybody({ type: 'stroke', stroke }, socket);
  },
  clear() {
    strokes = [];
    everybody({ type: 'clear' });
  },
};

room.on('connection', (socket) => {
  socket.on('message', (data) => {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      socket.close(1003, 'JSON, please');
      return;
    }
    const act = Object.hasOwn(actions, message?.type) ? actions[message.type] : undefined;
    if (act !== undefined && (people.has(socket) || message.type === 'hello')) act(socket, message);
  });
  socket.on('error', () => undefined); // What failed is in `socket.pq.failure`; the close follows.
  socket.on('close', () => {
    people.delete(socket);
    tellPeople();
  });
});

http.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => {
  console.log(`The room is at http://127.0.0.1:${http.address().port}`);
});
