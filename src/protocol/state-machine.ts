/**
 * A connection's life as one table for each profile and role. A transition that the table does not name is a bug.
 * `fail` leads from every state but `ended` and `failed` to `failed`, without a word in the table.
 */

/** What an end may do in a state. */
export type Ability =
  /** This end may seal messages: it has sent its Finished, where there is one, and no close. */
  | 'sends'
  /** The peer has proved that it holds the key, or as much of that as the profile asks for: failures have their own codes. */
  | 'accepted'
  /** The application can send nothing any more: it has closed, the peer has, or the connection has failed. */
  | 'silent'
  /** The key is agreed and not yet destroyed (PROTOCOL.md 6.1). */
  | 'exports'
  /** What arrives is handled, in order, before anything that the transport says after it. */
  | 'receives'
  /** The peer has nothing to answer yet, so whatever it says is out of turn. */
  | 'unasked'
  /** What arrives is looked at no more. */
  | 'deaf';

/** What an end may do in a state, and where each transition leads. */
export type Row<State extends string, Transition extends string> = readonly [
  may: readonly Ability[],
  to: Partial<Record<Transition, State>>,
];

/** The states of one role in one profile. */
export interface States<State extends string = string, Transition extends string = string> {
  readonly initial: State;
  readonly rows: Partial<Record<State, Row<State, Transition>>>;
}

/** A machine of whatever profile, for who asks only what its state allows. */
export type AnyStateMachine = Pick<StateMachine<string, string>, 'current' | 'may' | 'isOver' | 'fail'>;

export class StateMachine<State extends string, Transition extends string> {
  readonly #rows: States<State, Transition>['rows'];
  #state: State;
  /** The state's own: it is asked for several times a message. */
  #row: Row<State, Transition>;

  constructor({ initial, rows }: States<State, Transition>) {
    this.#rows = rows;
    this.#state = initial;
    this.#row = rows[initial] as Row<State, Transition>;
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

  /** Whether it has ended or failed: no transition leads out of these two. */
  get isOver(): boolean {
    return this.is('ended' as State, 'failed' as State);
  }

  /** @throws {Error} where the table has no such transition */
  move(transition: Transition): void {
    this.#enter(this.#row[1][transition], transition);
  }

  /** @throws {Error} when it is over */
  fail(): void {
    this.#enter(this.isOver ? undefined : ('failed' as State), 'fail');
  }

  #enter(next: State | undefined, transition: string): void {
    if (next === undefined) throw new Error(`no transition '${transition}' from state '${this.#state}'`);
    this.#state = next;
    this.#row = this.#rows[next] as Row<State, Transition>;
  }
}
