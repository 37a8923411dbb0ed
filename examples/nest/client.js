import { PQWebSocket } from 'pq-websocket';

export function runClient(url, text = 'hello, Nest') {
  const socket = new PQWebSocket(`${url}/chat`); // was: new WebSocket(...)
  const said = [];
  socket.onopen = () => socket.send(JSON.stringify({ event: 'say', data: text }));
  socket.onmessage = ({ data }) => {
    said.push(JSON.parse(data));
    socket.send(JSON.stringify({ event: 'leave' }));
  };
  return new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve([...said, `${code} ${reason}`]);
  });
}
