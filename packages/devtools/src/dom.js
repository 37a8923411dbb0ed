/** Elements. What a page says becomes text of one, and is never parsed as markup. */

/**
 * @template {Element} T
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(selector, type) {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`panel.html lacks ${selector}`);
  return found;
}

/**
 * @param {string} name
 * @param {string} className
 * @param {string} text
 */
export function element(name, className, text) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

/** @param {readonly [string, string][]} lines */
export function definitions(lines) {
  const list = document.createElement('dl');
  list.append(...lines.flatMap(([term, text]) => [element('dt', '', term), element('dd', '', text)]));
  return list;
}
