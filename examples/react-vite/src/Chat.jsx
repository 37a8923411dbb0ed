import { useEffect, useRef, useState } from 'react';

export function Chat({ lines, isOpen, onSay }) {
  const [text, setText] = useState('');
  const log = useRef(null);

  useEffect(() => {
    log.current.scrollTop = log.current.scrollHeight;
  }, [lines.length]);

  return (
    <section className="chat" aria-label="Chat">
      <ol ref={log} role="log" tabIndex={0} aria-label="What was said">
        {lines.map(({ key, name, color, text }) => (
          <li key={key}>
            <b style={{ color }}>{name}</b> {text}
          </li>
        ))}
      </ol>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== '' && onSay(text)) setText('');
        }}
      >
        <input
          aria-label="Message"
          placeholder="Say something"
          maxLength={500}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button disabled={!isOpen}>Send</button>
      </form>
    </section>
  );
}
