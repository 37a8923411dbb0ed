/** What a hostile case is. */
import type { Side } from '../../support/tap.ts';
import type { Stranger } from './stranger.ts';

export interface HostileCase {
  /** Unique among the cases of one victim. */
  readonly name: string;
  /** The first cell of the row of PROTOCOL.md, section 17, that the case is about. */
  readonly refusal: string;
  readonly victim: Side;
  /** How the transport must be closed by the victim. */
  readonly code: number;
  /** Options of the victim's command line. */
  readonly options?: readonly string[];
  /** The feature that the victim must have. `v1` unless said. */
  readonly feature?: string;
  /** What a victim that is a client runs: `text-unicode` unless said, which says two things and more. */
  readonly clientCase?: string;
  /** A hostile client offers this; a hostile server selects it from what is offered. */
  readonly subprotocols?: (clientHello: string) => readonly string[];
  readonly select?: (offered: readonly string[]) => string | undefined;
  /** Until everything is said. From then on nothing but the close may come from the victim. */
  attack(stranger: Stranger): Promise<void> | void;
}

export const SIDES = ['server', 'client'] as const;
