/** What the processes of the load test tell each other. */

export interface CrowdOrder {
  readonly type: 'open' | 'talk' | 'close';
  /** With `talk`. */
  readonly seconds?: number;
  readonly rate?: number;
}

export interface OpenReport {
  readonly opened: number;
  readonly failed: number;
  readonly seconds: number;
}

export interface TalkReport {
  readonly messages: number;
  readonly seconds: number;
  /** Milliseconds there and back, ascending. */
  readonly latencies: readonly number[];
  /** Connections that ended, messages that came back wrong or not at all. */
  readonly errors: readonly string[];
}

export interface FloodReport {
  /** The close code, where the proxy has not borne it. */
  readonly ended: number | undefined;
}

export interface NuisanceReport {
  readonly slow: number;
  readonly cut: number;
  readonly garbage: number;
  /** Handshakes that were not let in. */
  readonly refused: number;
}
