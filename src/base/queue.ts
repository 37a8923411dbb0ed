/**
 * First in, first out, each step in constant time: the `shift` of a long array moves all that stands behind the first.
 * What an empty one costs is one object, for connections that have nothing to say hold several.
 */
export class Queue<T> {
  /** What waits stands from `#head` on. Undefined while nothing does. */
  #items: (T | undefined)[] | undefined;
  #head = 0;

  get length(): number {
    return this.#items === undefined ? 0 : this.#items.length - this.#head;
  }

  push(item: T): void {
    (this.#items ??= []).push(item);
  }

  /** The oldest, without taking it out. */
  get first(): T | undefined {
    return this.#items?.[this.#head];
  }

  shift(): T | undefined {
    const items = this.#items;
    if (items === undefined) return undefined;
    const item = items[this.#head];
    // What is taken must not be kept alive.
    items[this.#head] = undefined;
    this.#head += 1;
    if (this.#head === items.length) this.clear();
    else if (this.#head >= COMPACT_AT && 2 * this.#head >= items.length) {
      // Each item is moved at most once for each one that was taken before it.
      this.#items = items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  clear(): void {
    this.#items = undefined;
    this.#head = 0;
  }
}

/** Taken items in front, from which on they are worth getting rid of. */
const COMPACT_AT = 1_024;
