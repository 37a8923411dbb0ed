import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';
import { PQWebSocket } from 'pq-websocket';

export function join(url, room, options = {}) {
  const document = new Y.Doc();
  // Tabs of one browser also talk past the server, through BroadcastChannel; not here, so that the server is seen at work.
  const provider = new WebsocketProvider(url, room, document, {
    WebSocketPolyfill: PQWebSocket,
    disableBc: true,
    ...options,
  }); // was: nothing
  return { document, provider };
}

export async function runClient(url, text = 'written together') {
  const [one, two] = [join(url, 'notes'), join(url, 'notes')];
  const arrived = new Promise((resolve) => {
    two.document.getText('body').observe((event) => resolve(event.target.toString()));
  });
  one.document.getText('body').insert(0, text);
  const said = [await arrived];
  for (const { provider } of [one, two]) provider.destroy();
  return said;
}
