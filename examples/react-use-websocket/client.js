import { JSDOM } from 'jsdom'; // stands for a browser here
import { install } from 'pq-websocket/polyfill';
import { createElement, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
import useWebSocketModule from 'react-use-websocket';

install(); // the line that is new: the hook makes its sockets with the global class

// Node's view of a CommonJS module; a bundler gives the function itself.
const useWebSocket = useWebSocketModule.default ?? useWebSocketModule;

/** Says a text and shows the answer. */
export function Echo({ url, text, options, report }) {
  const { sendMessage, lastMessage, readyState, getWebSocket } = useWebSocket(url, options);
  useEffect(() => {
    if (readyState === 1) sendMessage(text);
  }, [readyState, sendMessage, text]);
  useEffect(() => report?.({ readyState, message: lastMessage?.data, getWebSocket }));
  return createElement(
    'p',
    null,
    `${['connecting', 'open', 'closing', 'closed'][readyState] ?? 'none'}: ${lastMessage?.data ?? ''}`,
  );
}

/** Renders it until `until` holds for what is shown. @returns the texts that were shown */
export function render(element, container, until) {
  const root = createRoot(container);
  const shown = [];
  return new Promise((resolve) => {
    const look = () => {
      const text = container.textContent;
      if (text !== shown.at(-1)) shown.push(text);
      if (!until(text)) return;
      observer.disconnect();
      root.unmount();
      resolve(shown);
    };
    const observer = new container.ownerDocument.defaultView.MutationObserver(look);
    observer.observe(container, { childList: true, characterData: true, subtree: true });
    root.render(element);
  });
}

export async function runClient(url, text = 'hello, React') {
  const { window } = new JSDOM('<!doctype html><main></main>');
  Object.assign(globalThis, { window, document: window.document });
  return render(
    createElement(Echo, { url, text }),
    document.querySelector('main'),
    (shown) => shown === `open: ${text}`,
  );
}
