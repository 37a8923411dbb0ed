/** How connections end. */
import type { PQWebSocketError } from '../api/errors.ts';

/** As the application is to see it. */
export interface CloseOutcome {
  readonly code: number;
  readonly reason: string;
  /** Whether both sealed closes were exchanged; in yellowpages, what the transport says. */
  readonly wasClean: boolean;
  readonly failure: PQWebSocketError | undefined;
}

/** What the transport said at its end, authenticated by nothing. */
export interface TransportEnd {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  /** What it said of its own failure, if it did. */
  readonly cause: unknown;
}
