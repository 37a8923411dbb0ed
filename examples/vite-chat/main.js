import { PQWebSocket } from 'pq-websocket';

const [state, log, text] = ['state', 'log', 'text'].map((id) => document.getElementById(id));
const socket = new PQWebSocket(`${location.origin.replace('http', 'ws')}/chat`); // was: new WebSocket(…)

socket.onopen = () => {
  state.textContent = `sealed: ${socket.pq.kem}, ${socket.pq.cipher}`;
};
socket.onmessage = ({ data }) => {
  log.append(Object.assign(document.createElement('li'), { textContent: data }));
};
socket.onclose = ({ code, reason }) => {
  state.textContent = `closed: ${code} ${reason}`;
  document.querySelector('button').disabled = true;
};
document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  socket.send(text.value);
  text.value = '';
});
