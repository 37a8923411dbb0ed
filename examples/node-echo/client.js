import { PQWebSocket } from 'pq-websocket';

const [, , text = 'hello', url = `ws://127.0.0.1:${process.env.PORT ?? 8080}`] = process.argv;
const socket = new PQWebSocket(url); // was: new WebSocket(url)

socket.onopen = () => socket.send(text);
socket.onmessage = ({ data }) => {
  console.log(`${data} (${socket.pq.kem}, ${socket.pq.cipher})`);
  socket.close(1000);
};
socket.onclose = ({ code, reason }) => {
  if (code !== 1000) console.error(`closed: ${code} ${reason}`);
  process.exitCode = code === 1000 ? 0 : 1;
};
