// What Hono's own adapters do with the runtime's socket, done with the sealed one.
import { WSContext } from 'hono/ws';

/** @param socket what wrapServerSocket gives */
export function bindEvents(socket, events, url) {
  const context = new WSContext({
    send: (data) => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
    raw: socket,
    get readyState() {
      return socket.readyState;
    },
    url,
    protocol: socket.protocol,
  });
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('open', (event) => events.onOpen?.(event, context));
  socket.addEventListener('message', (event) => events.onMessage?.(event, context));
  socket.addEventListener('error', (event) => events.onError?.(event, context));
  socket.addEventListener('close', (event) => events.onClose?.(event, context));
}
