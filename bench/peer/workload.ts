/** What a workload is in the client process. */

/**
 * Metric by name: the first is what the workload's row in the results shows. `operations` is how many there were, where their
 * processor time is measured.
 */
export type Sample = Readonly<Record<string, number>>;

export interface Workload {
  /** One round. */
  sample(milliseconds: number): Promise<Sample>;
  /** Outside the timed part: every byte of many different messages arrives, or this throws. */
  verify(): Promise<void>;
}
