/**
 * Sockets that ask for nothing, or not yet: of one address, and in all, only so many. The oldest makes room for the next, so that
 * silence keeps nobody out.
 */
import type { Socket } from 'node:net';

/** Of one address. A browser keeps six; several of them may share an address. */
const MOST_OF_ADDRESS = 100;

export class IdleSockets {
  /** Oldest first. */
  readonly #all = new Map<Socket, string>();
  readonly #byAddress = new Map<string, Set<Socket>>();

  /**
   * @param most in all
   * @param ended told of each that has made room
   */
  constructor(
    private readonly most: number,
    private readonly ended: () => void,
  ) {}

  /** @param group what the address counts as; undefined for a proxy, which speaks for many */
  add(socket: Socket, group: string | undefined): void {
    this.delete(socket);
    this.#all.set(socket, group ?? '');
    if (group !== undefined) {
      const same = this.#byAddress.get(group) ?? new Set();
      this.#byAddress.set(group, same.add(socket));
      if (same.size > MOST_OF_ADDRESS) this.#endFirst(same);
    }
    if (this.#all.size > this.most) this.#endFirst(this.#all.keys());
  }

  delete(socket: Socket): void {
    const group = this.#all.get(socket);
    if (group === undefined) return;
    this.#all.delete(socket);
    const same = this.#byAddress.get(group);
    same?.delete(socket);
    if (same?.size === 0) this.#byAddress.delete(group);
  }

  #endFirst(sockets: Iterable<Socket>): void {
    const [oldest] = sockets;
    if (oldest === undefined) return;
    this.delete(oldest);
    this.ended();
    oldest.destroy();
  }
}
