import { useCallback, useEffect, useRef, useState } from 'react';
import { PQWebSocket } from 'pq-websocket';

/**
 * A secure WebSocket for as long as the component is there. Under StrictMode React mounts everything twice in development: the socket
 * of the first time is closed before it is open, and nothing that it says reaches the second.
 *
 * @param url where to; another one closes the socket and opens a new one
 * @param onMessage called with the data of each message; it may be another function at each rendering
 * @returns `state`: 'connecting', 'open' or 'closed'; `send(data)`, which queues while connecting
 */
export function usePQWebSocket(url, onMessage) {
  const [state, setState] = useState('connecting');
  const socket = useRef(null);
  const listener = useRef(onMessage);
  useEffect(() => {
    listener.current = onMessage;
  });

  useEffect(() => {
    const current = new PQWebSocket(url); // in an effect: rendering must have no effects, and a server renders too
    socket.current = current;
    setState('connecting');
    current.onopen = () => setState('open');
    current.onmessage = ({ data }) => listener.current(data);
    current.onclose = () => setState('closed');
    return () => {
      current.onopen = current.onmessage = current.onclose = null;
      current.close(1000);
    };
  }, [url]);

  const send = useCallback((data) => socket.current.send(data), []);
  return { state, send };
}
