import 'pq-websocket/register'; // the line that is new: on Node the adapter imports `ws` itself
import { install } from 'pq-websocket/polyfill';

install(); // and this in a browser, where it uses the global WebSocket
const { Repo } = await import('@automerge/automerge-repo');
const { WebSocketClientAdapter } = await import('@automerge/automerge-repo-network-websocket');

export function join(url, retryMilliseconds) {
  const adapter = new WebSocketClientAdapter(url, retryMilliseconds);
  // On Node the adapter throws every error but ECONNREFUSED, and nobody can catch that. It connects again at the close that follows.
  adapter.onError = () => {};
  return new Repo({ network: [adapter] });
}

/** A document that somebody else has, as soon as the server has it too. */
export async function find(repo, address) {
  const handle = await repo.find(address, { allowableStates: ['ready', 'unavailable'] });
  await handle.whenReady();
  return handle;
}

export async function runClient(url, text = 'written together') {
  const [one, two] = [join(url), join(url)];
  await Promise.all([one, two].map((repo) => repo.networkSubsystem.whenReady()));
  const written = one.create({ text });
  const read = await find(two, written.url);
  const said = [read.doc().text];
  await Promise.all([one.shutdown(), two.shutdown()]);
  return said;
}
