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

const TABLE: Record<State, Partial<Record<Transition, State>>> = {
  'client: idle': { start: 'client: awaiting server hello', fail: 'failed' },
  'client: awaiting server hello': { 'server hello': 'client: awaiting finished', fail: 'failed' },
  'client: awaiting finished': { 'finished received': 'client: verifying', fail: 'failed' },
  'client: verifying': { 'peer accepted': 'open', fail: 'failed' },
  'server: awaiting client hello': {
    'client hello': 'server: replying',
    'early hello': 'server: answering early',
    fail: 'failed',
  },
  'server: answering early': {
    'finished sent': 'server: awaiting repeated hello',
    'early hello refused': 'server: awaiting client hello',
    fail: 'failed',
  },
  'server: awaiting repeated hello': {
    'hello repeated': 'server: awaiting finished',
    close: 'server: closing unrepeated',
    fail: 'failed',
  },
  'server: closing unrepeated': { 'hello repeated': 'server: closing unconfirmed', fail: 'failed' },
  'server: replying': { 'finished sent': 'server: awaiting finished', fail: 'failed' },
  'server: awaiting finished': { 'peer accepted': 'open', close: 'server: closing unconfirmed', fail: 'failed' },
  'server: closing unconfirmed': { 'peer accepted': 'close sent', fail: 'failed' },
  open: { close: 'close sent', 'peer closed': 'finishing', fail: 'failed' },
  'close sent': { 'peer closed': 'finishing', fail: 'failed' },
  finishing: { 'handed over': 'ended', fail: 'failed' },
  ended: {},
  failed: {},
};

/** This end has sent its Finished and no close: messages are sealed (PROTOCOL.md 3.2 and 3.3). */
const SENDING: readonly State[] = ['server: awaiting repeated hello', 'server: awaiting finished', 'open'];

/** The peer's Finished has been accepted: from here on failures have their own codes (PROTOCOL.md 10). */
const ACCEPTED: readonly State[] = ['open', 'close sent', 'finishing', 'ended'];

/** The application can send nothing any more: it has closed, the peer has, or the connection has failed. */
const SILENT: readonly State[] = [
  'server: closing unrepeated',
  'server: closing unconfirmed',
  'close sent',
  'finishing',
  'ended',
  'failed',
];

/** The key is agreed and not yet destroyed (PROTOCOL.md 6.1). */
const EXPORTING: readonly State[] = [
  'server: awaiting repeated hello',
  'server: closing unrepeated',
  'server: awaiting finished',
  'server: closing unconfirmed',
  'open',
  'close sent',
  'finishing',
];

/** What arrives is handled, in order, before anything that the transport says after it. */
const RECEIVING: readonly State[] = [
  'server: awaiting repeated hello',
  'server: closing unrepeated',
  'server: awaiting finished',
  'server: closing unconfirmed',
  'open',
  'close sent',
];

/** What arrives is looked at no more. */
const DEAF: readonly State[] = ['finishing', 'ended', 'failed'];

export class StateMachine {
  constructor(private state: State) {}

  get current(): State {
    return this.state;
  }

  get sends(): boolean {
    return SENDING.includes(this.state);
  }

  get hasAcceptedPeer(): boolean {
    return ACCEPTED.includes(this.state);
  }

  get isSilent(): boolean {
    return SILENT.includes(this.state);
  }

  get exports(): boolean {
    return EXPORTING.includes(this.state);
  }

  get receives(): boolean {
    return RECEIVING.includes(this.state);
  }

  get isDeaf(): boolean {
    return DEAF.includes(this.state);
  }

  is(...states: readonly State[]): boolean {
    return states.includes(this.state);
  }

  /** @throws {Error} where the table has no such transition */
  move(transition: Transition): void {
    const next = TABLE[this.state][transition];
    if (next === undefined) throw new Error(`no transition '${transition}' from state '${this.state}'`);
    this.state = next;
  }
}
