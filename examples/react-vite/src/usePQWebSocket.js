import { useCallback, useEffect, useRef, useState } from 'react';
import PQWebSocket from 'pq-websocket';

const FIRST_DELAY = 400;
const LONGEST_DELAY = 8_000;

/**
 * A secure WebSocket that comes back when the connection is lost.
 *
 * @param url where to
 * @param onOpen called with `send` whenever a connection is open, the first as any later one
 * @param onMessage called with the data of each message
 * @returns `state`: 'connecting', 'open' or 'lost' (trying again); `send(text)`, which drops what is said while there is no
 *   connection and returns false then; `socket`, whose `pq` has the facts of the channel
 */
export function usePQWebSocket(url, { onOpen, onMessage }) {
  const [state, setState] = useState('connecting');
  const [socket, setSocket] = useState(null);
  const handlers = useRef({ onOpen, onMessage });
  const current = useRef(null);
  useEffect(() => {
    handlers.current = { onOpen, onMessage };
  });

  const send = useCallback((text) => {
    if (current.current?.readyState !== PQWebSocket.OPEN) return false;
    current.current.send(text);
    return true;
  }, []);

  useEffect(() => {
    let timer;
    let failures = 0;
    let isOver = false;

    function connect() {
      clearTimeout(timer);
      const opened = new PQWebSocket(url);
      current.current = opened;
      opened.onopen = () => {
        failures = 0;
        setState('open');
        setSocket(opened);
        handlers.current.onOpen(send);
      };
      opened.onmessage = ({ data }) => handlers.current.onMessage(data);
      opened.onclose = () => {
        if (isOver) return;
        setState('lost');
        // Not all clients of a restarted server at once.
        const delay = Math.min(FIRST_DELAY * 2 ** failures, LONGEST_DELAY) * (0.75 + Math.random() / 2);
        failures += 1;
        timer = setTimeout(connect, delay);
      };
    }

    const online = () => {
      if (current.current?.readyState === PQWebSocket.CLOSED) connect();
    };
    window.addEventListener('online', online);
    connect();
    return () => {
      isOver = true;
      clearTimeout(timer);
      window.removeEventListener('online', online);
      current.current.close(1000, 'left');
    };
  }, [url, send]);

  return { state, send, socket };
}
