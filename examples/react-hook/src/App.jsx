import { useState } from 'react';
import { usePQWebSocket } from './use-pq-websocket.js';

const URL = `${location.origin.replace('http', 'ws')}/chat`;

export function App() {
  const [lines, setLines] = useState([]);
  const [text, setText] = useState('');
  const { state, send } = usePQWebSocket(URL, (data) => setLines((before) => [...before, data]));
  return (
    <>
      <h1>Chat</h1>
      <p role="status">{state}</p>
      <ol role="log" aria-label="What was said">
        {lines.map((line, index) => (
          <li key={index}>{line}</li>
        ))}
      </ol>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send(text);
          setText('');
        }}
      >
        <input aria-label="Message" required value={text} onChange={(event) => setText(event.target.value)} />
        <button disabled={state !== 'open'}>Send</button>
      </form>
    </>
  );
}
