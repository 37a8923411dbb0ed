import { PQWebSocket } from 'pq-websocket';
import { effectScope, onScopeDispose, ref, shallowRef, toValue, watch } from 'vue';

/**
 * A secure WebSocket for as long as the component (or whatever scope) is there.
 *
 * @param url where to: a string, a ref or a getter; another one closes the socket and opens a new one
 * @returns `state`: 'connecting', 'open' or 'closed'; `data`: of the last message; `send(data)`, which queues while connecting
 */
export function usePQWebSocket(url) {
  const state = ref('connecting');
  const data = shallowRef();
  let socket;
  const close = () => {
    if (socket === undefined) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  };
  watch(
    () => toValue(url),
    (to) => {
      close();
      state.value = 'connecting';
      socket = new PQWebSocket(to);
      socket.onopen = () => {
        state.value = 'open';
      };
      socket.onmessage = (event) => {
        data.value = event.data;
      };
      socket.onclose = () => {
        state.value = 'closed';
      };
    },
    { immediate: true },
  );
  onScopeDispose(close);
  return { state, data, send: (message) => socket.send(message) };
}

export async function runClient(url, text = 'hello, Vue') {
  const scope = effectScope(); // stands for a component here
  const { data, send } = scope.run(() => usePQWebSocket(url));
  const heard = new Promise((resolve) => scope.run(() => watch(data, resolve)));
  send(text);
  const said = [await heard];
  scope.stop();
  return said;
}
