/**
 * A yellowpages connection's life, as one table (PROTOCOL.md 15). A transition that the table does not name is a bug.
 *
 *     client  idle -> awaiting server hello -> verifying -+
 *                                                         +-> open -> closing -> ended
 *     server  awaiting client hello -> replying ----------+     \____________/
 *
 * Only the transport closes: `closing` gives it what was sent before, `ended` has told it to close or knows that it has.
 */
export type YellowpagesState =
  | 'client: idle'
  | 'client: awaiting server hello'
  | 'client: verifying'
  | 'server: awaiting client hello'
  | 'server: replying'
  | 'open'
  | 'closing'
  | 'ended'
  | 'failed';

export type YellowpagesTransition =
  'start' | 'server hello' | 'client hello' | 'agreed' | 'close' | 'handed over' | 'transport closed' | 'fail';

const TABLE: Record<YellowpagesState, Partial<Record<YellowpagesTransition, YellowpagesState>>> = {
  'client: idle': { start: 'client: awaiting server hello', fail: 'failed' },
  'client: awaiting server hello': { 'server hello': 'client: verifying', fail: 'failed' },
  'client: verifying': { agreed: 'open', fail: 'failed' },
  'server: awaiting client hello': { 'client hello': 'server: replying', fail: 'failed' },
  'server: replying': { agreed: 'open', fail: 'failed' },
  open: { close: 'closing', 'transport closed': 'ended', fail: 'failed' },
  closing: { 'handed over': 'ended', 'transport closed': 'ended', fail: 'failed' },
  ended: {},
  failed: {},
};

export class YellowpagesMachine {
  #state: YellowpagesState;

  constructor(role: 'client' | 'server') {
    this.#state = role === 'client' ? 'client: idle' : 'server: awaiting client hello';
  }

  get current(): YellowpagesState {
    return this.#state;
  }

  is(...states: readonly YellowpagesState[]): boolean {
    return states.includes(this.#state);
  }

  /** @throws {Error} where the table has no such transition */
  move(transition: YellowpagesTransition): void {
    const next = TABLE[this.#state][transition];
    if (next === undefined) throw new Error(`no transition '${transition}' from state '${this.#state}'`);
    this.#state = next;
  }
}
