/** The clipboard. */
import { find } from './dom.js';

/**
 * By the document's own command: `navigator.clipboard` is refused to panels.
 * @param {string} text
 * @param {string} what is copied, for the line of status
 */
export function copy(text, what) {
  /** @param {ClipboardEvent} event */
  const write = (event) => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  };
  document.addEventListener('copy', write, { once: true });
  const isCopied = document.execCommand('copy');
  document.removeEventListener('copy', write);
  find('#status', HTMLElement).textContent = isCopied
    ? `Copied ${what}.`
    : `The browser did not let ${what} be copied.`;
}
