import { useState } from 'react';
import { Badge } from './Badge.jsx';
import { Board } from './Board.jsx';
import { Chat } from './Chat.jsx';
import { me } from './me.js';
import { usePQWebSocket } from './usePQWebSocket.js';

const url = location.href.replace(/^http/, 'ws').replace(/[?#].*/, '');
const STATES = { connecting: 'Connecting …', open: 'Connected', lost: 'Connection lost, trying again …' };

export function App() {
  const [people, setPeople] = useState([]);
  const [lines, setLines] = useState([]);
  const [strokes, setStrokes] = useState([]);

  const { state, send, socket } = usePQWebSocket(url, {
    onOpen(send) {
      send(JSON.stringify({ type: 'hello', ...me }));
    },
    onMessage(data) {
      const message = JSON.parse(data);
      if (message.type === 'room') {
        setLines(message.lines);
        setStrokes(message.strokes);
      }
      if (message.type === 'people') setPeople(message.people);
      if (message.type === 'line') setLines((lines) => [...lines, message.line]);
      if (message.type === 'stroke') setStrokes((strokes) => [...strokes, message.stroke]);
      if (message.type === 'clear') setStrokes([]);
    },
  });

  const isOpen = state === 'open';
  return (
    <div className="room">
      <header>
        <h1>The room</h1>
        <ul className="people" aria-label="Who is here">
          {people.map(({ id, name, color }) => (
            <li key={id} title={name} style={{ '--person': color }}>
              <span aria-hidden="true">{name[0]}</span>
              <span className="hidden">{id === me.id ? `${name}, you` : name}</span>
            </li>
          ))}
        </ul>
        <p className="state" role="status" data-state={state}>
          {STATES[state]}
        </p>
        <Badge socket={socket} isOpen={isOpen} />
      </header>
      <main>
        <Board
          strokes={strokes}
          isOpen={isOpen}
          onStroke={(points) => {
            if (send(JSON.stringify({ type: 'draw', points })))
              setStrokes((strokes) => [...strokes, { color: me.color, points }]);
          }}
          onClear={() => send(JSON.stringify({ type: 'clear' }))}
        />
        <Chat lines={lines} isOpen={isOpen} onSay={(text) => send(JSON.stringify({ type: 'say', text }))} />
      </main>
    </div>
  );
}
