import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { PQWebSocket } from 'pq-websocket';
import * as Y from 'yjs';

export function join(url, name, options = {}) {
  const websocketProvider = new HocuspocusProviderWebsocket({ url, WebSocketPolyfill: PQWebSocket }); // was: { url }
  const document = new Y.Doc();
  const provider = new HocuspocusProvider({ websocketProvider, name, document, ...options });
  provider.attach();
  const leave = () => {
    provider.destroy();
    websocketProvider.destroy();
  };
  return { document, provider, websocketProvider, leave };
}

export async function runClient(url, text = 'written together') {
  const [one, two] = [join(url, 'notes'), join(url, 'notes')];
  const arrived = new Promise((resolve) => {
    two.document.getText('body').observe((event) => resolve(event.target.toString()));
  });
  one.document.getText('body').insert(0, text);
  const said = [await arrived];
  for (const { leave } of [one, two]) leave();
  return said;
}
