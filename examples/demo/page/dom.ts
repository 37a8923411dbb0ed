/** The few DOM helpers of the page. Data goes in as text content only. */

export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} with the id ${id}`);
  return found;
}

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = '',
  text = '',
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  if (text !== '') element.textContent = text;
  return element;
}

export function count(value: number, unit: string): string {
  return `${value.toLocaleString('en')} ${unit}`;
}

const NEAR_END_PIXELS = 48;

/** Keeps the end of a scroller in view until the person scrolls away from it. */
export class EndFollower {
  readonly #scroller: HTMLElement;
  #following: boolean;

  /** @param following whether it begins now, and not when the person first scrolls to the end */
  constructor(scroller: HTMLElement, following = true) {
    this.#scroller = scroller;
    this.#following = following;
    scroller.addEventListener('scroll', () => {
      this.#following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END_PIXELS;
    });
    // A panel that appears elsewhere makes this one shorter, without a scroll event.
    new ResizeObserver(() => this.follow()).observe(scroller);
  }

  /** From now on. */
  begin(): void {
    this.#following = true;
    this.follow();
  }

  /** To be called after the content has grown. */
  follow(): void {
    if (this.#following) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}
