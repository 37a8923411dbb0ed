import { PQWebSocket } from 'pq-websocket';

/** Says something, hears it again, asks to be left alone. */
export function runClient(url, text = 'hello') {
  const socket = new PQWebSocket(url); // was: new WebSocket(url)
  const said = [];
  socket.onopen = () => socket.send(text);
  socket.onmessage = ({ data }) => {
    said.push(data);
    socket.send('bye');
  };
  return new Promise((resolve) => {
    socket.onclose = ({ code, reason }) => resolve([...said, `${code} ${reason}`]);
  });
}
