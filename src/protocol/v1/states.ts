/**
 * A connection's life, as one table (PROTOCOL.md, "States"). A transition that the table does not name is a bug.
 *
 *     client  idle -> awaiting server hello -> awaiting finished -> verifying --+
 *                                                                               +-> open
 *     server  awaiting client hello -> replying -> awaiting finished -----------+
 *                                                          |
 *                                                          +-> closing unconfirmed -> close sent
 *
 *     server, fast open
 *             awaiting client hello -> answering early -> awaiting repeated hello -> awaiting finished
 *                          ^                  |                    |
 *                          +--- no hello -----+                    +-> closing unrepeated -> closing unconfirmed
 *
 *     open -> close sent -> finishing -> ended      this end closed first, or the closes crossed
 *     open ---------------> finishing -> ended      the peer closed, and has its answer
 *
 * `fail` leads from every state but the last two to `failed`.
 */

export type State =
  | 'client: idle'
  | 'client: awaiting server hello'
  | 'client: awaiting finished'
  | 'client: verifying'
  | 'server: awaiting client hello'
  | 'server: answering early'
  | 'server: awaiting repeated hello'
  | 'server: closing unrepeated'
  | 'server: replying'
  | 'server: awaiting finished'
  | 'server: closing unconfirmed'
  | 'open'
  | 'close sent'
  | 'finishing'
  | 'ended'
  | 'failed';

export type Transition =
  | 'start'
  | 'server hello'
  | 'client hello'
  | 'early hello'
  | 'early hello refused'
  | 'hello repeated'
  | 'finished received'
  | 'finished sent'
  | 'peer accepted'
  | 'close'
  | 'peer closed'
  | 'handed over'
  | 'fail';

/** What an end may do in a state. */
type Ability =
  /** This end has sent its Finished and no close: messages are sealed (PROTOCOL.md 3.2 and 3.3). */
  | 'sends'
  /** The peer's Finished has been accepted: from here on failures have their own codes (PROTOCOL.md 10). */
  | 'accepted'
  /** The application can send nothing any more: it has closed, the peer has, or the connection has failed. */
  | 'silent'
  /** The key is agreed and not yet destroyed (PROTOCOL.md 6.1). */
  | 'exports'
  /** What arrives is handled, in order, before anything that the transport says after it. */
  | 'receives'
  /** The peer has nothing to answer yet, so whatever it says is out of turn (PROTOCOL.md 3.1 and 3.2). */
  | 'unasked'
  /** What arrives is looked at no more. */
  | 'deaf';

/** What an end may do in a state, and where each transition leads but `fail`, which leads to `failed`. */
type Row = readonly [may: readonly Ability[], to: Partial<Record<Transition, State>>];

/** The states of one role. */
export interface States {
  readonly initial: State;
  readonly rows: Partial<Record<State, Row>>;
}

/** From `open` on both roles are the same. */
const SHARED: States['rows'] = {
  open: [['sends', 'accepted', 'exports', 'receives'], { close: 'close sent', 'peer closed': 'finishing' }],
  'close sent': [['accepted', 'silent', 'exports', 'receives'], { 'peer closed': 'finishing' }],
  finishing: [['accepted', 'silent', 'exports', 'deaf'], { 'handed over': 'ended' }],
  ended: [['accepted', 'silent', 'deaf'], {}],
  failed: [['silent', 'deaf'], {}],
};

export const CLIENT_STATES: States = {
  initial: 'client: idle',
  rows: {
    'client: idle': [['unasked'], { start: 'client: awaiting server hello' }],
    'client: awaiting server hello': [[], { 'server hello': 'client: awaiting finished' }],
    'client: awaiting finished': [[], { 'finished received': 'client: verifying' }],
    'client: verifying': [[], { 'peer accepted': 'open' }],
    ...SHARED,
  },
};

export const SERVER_STATES: States = {
  initial: 'server: awaiting client hello',
  rows: {
    'server: awaiting client hello': [
      [],
      { 'client hello': 'server: replying', 'early hello': 'server: answering early' },
    ],
    'server: answering early': [
      [],
      { 'finished sent': 'server: awaiting repeated hello', 'early hello refused': 'server: awaiting client hello' },
    ],
    'server: awaiting repeated hello': [
      ['sends', 'exports', 'receives'],
      { 'hello repeated': 'server: awaiting finished', close: 'server: closing unrepeated' },
    ],
    'server: closing unrepeated': [
      ['silent', 'exports', 'receives'],
      { 'hello repeated': 'server: closing unconfirmed' },
    ],
    'server: replying': [['unasked'], { 'finished sent': 'server: awaiting finished' }],
    'server: awaiting finished': [
      ['sends', 'exports', 'receives'],
      { 'peer accepted': 'open', close: 'server: closing unconfirmed' },
    ],
    'server: closing unconfirmed': [['silent', 'exports', 'receives'], { 'peer accepted': 'close sent' }],
    ...SHARED,
  },
};

export class StateMachine {
  readonly #rows: States['rows'];
  #state: State;
  /** The state's own: it is asked for several times a message. */
  #row: Row;

  constructor({ initial, rows }: States) {
    this.#rows = rows;
    this.#state = initial;
    this.#row = rows[initial] as Row;
  }

  get current(): State {
    return this.#state;
  }

  may(ability: Ability): boolean {
    return this.#row[0].includes(ability);
  }

  is(...states: readonly State[]): boolean {
    return states.includes(this.#state);
  }

  /** @throws {Error} where the table has no such transition */
  move(transition: Transition): void {
    const next = transition === 'fail' && !this.is('ended', 'failed') ? 'failed' : this.#row[1][transition];
    if (next === undefined) throw new Error(`no transition '${transition}' from state '${this.#state}'`);
    this.#state = next;
    this.#row = this.#rows[next] as Row;
  }
}
