/** A list of which one line is chosen, by mouse or keyboard (WAI-ARIA Authoring Practices, "Listbox Pattern"). */

let lists = 0;

export class Listbox {
  /** @type {Map<string, HTMLElement>} */
  #options = new Map();
  #list;
  #chosen;
  #prefix;
  /** Of the line that is chosen. */
  selected = '';

  /**
   * @param {HTMLElement} list
   * @param {(key: string) => void} chosen
   */
  constructor(list, chosen) {
    this.#list = list;
    this.#chosen = chosen;
    lists += 1;
    this.#prefix = `option-${lists}-`;
    list.addEventListener('click', ({ target }) => {
      const option = target instanceof Element ? target.closest('[role=option]') : null;
      const key = option instanceof HTMLElement ? option.dataset['key'] : undefined;
      if (key !== undefined) this.select(key);
    });
    list.addEventListener('keydown', (event) => {
      const next = this.#neighbour(event.key);
      if (next === undefined) return;
      event.preventDefault();
      this.select(next);
    });
  }

  get size() {
    return this.#options.size;
  }

  /**
   * Adds a line, or gives the one of that key other contents.
   * @param {string} key
   * @param {Node[]} contents
   */
  put(key, contents) {
    const known = this.#options.get(key);
    if (known !== undefined) {
      known.replaceChildren(...contents);
      return;
    }
    const option = document.createElement('div');
    option.setAttribute('role', 'option');
    option.setAttribute('aria-selected', String(key === this.selected));
    option.dataset['key'] = key;
    option.id = this.#prefix + key;
    option.append(...contents);
    this.#options.set(key, option);
    this.#list.append(option);
  }

  /** @param {string} key */
  has(key) {
    return this.#options.has(key);
  }

  /** Takes away the lines whose keys are wanted no longer. @param {(key: string) => boolean} isWanted */
  retain(isWanted) {
    for (const [key, option] of this.#options) {
      if (isWanted(key)) continue;
      option.remove();
      this.#options.delete(key);
    }
  }

  /** Takes the first lines away until `most` are left. @param {number} most */
  shorten(most) {
    for (const [key, option] of this.#options) {
      if (this.#options.size <= most) break;
      option.remove();
      this.#options.delete(key);
    }
  }

  clear() {
    this.#options.clear();
    this.#list.replaceChildren();
    this.#list.removeAttribute('aria-activedescendant');
  }

  /** @param {string} key */
  select(key) {
    this.#options.get(this.selected)?.setAttribute('aria-selected', 'false');
    this.selected = key;
    const option = this.#options.get(key);
    if (option === undefined) this.#list.removeAttribute('aria-activedescendant');
    else {
      option.setAttribute('aria-selected', 'true');
      option.scrollIntoView({ block: 'nearest' });
      this.#list.setAttribute('aria-activedescendant', option.id);
    }
    this.#chosen(key);
  }

  /** @param {string} pressed */
  #neighbour(pressed) {
    const keys = [...this.#options.keys()];
    const now = keys.indexOf(this.selected);
    switch (pressed) {
      case 'ArrowDown':
        return keys[Math.min(now + 1, keys.length - 1)];
      case 'ArrowUp':
        return keys[Math.max(now - 1, 0)];
      case 'Home':
        return keys[0];
      case 'End':
        return keys.at(-1);
      default:
        return undefined;
    }
  }
}
