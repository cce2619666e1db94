import type { DeadLetterReason } from '../../events.js';

/*
 * How a replay went, as a worker tells whoever watches it: JSON in a message to the exchange of the workers' answers, under a key that
 * holds the replay's id. It is told once the broker has been told, as well as that goes, and kept for nobody.
 */

/** Version of the format. */
export const REPORT_VERSION = 1;

/** End of one try. `skipped`: the message was handled before; `discarded`: its handler, or its policy, drops it. */
export type ReplayEnd = 'handled' | 'skipped' | 'discarded' | 'dead-lettered';

export interface ReplayReport {
  /** Id of the message as it was replayed; of one that came in a pack, the pack's. */
  readonly messageId: string;
  readonly end: ReplayEnd;
  /** Queue that it came through. */
  readonly queue: string;
  readonly routingKey: string;
  readonly handler?: string | undefined;
  /** Of one that is dead-lettered: reason, error and stack, as in its dead letter. */
  readonly reason?: DeadLetterReason | undefined;
  readonly error?: string | undefined;
  readonly stack?: string | undefined;
}

/** Routing key of the reports about a replay. */
export const reportKeyOf = (replay: string): string => `replay.${replay}`;

export const encodeReport = (report: ReplayReport): Buffer =>
  Buffer.from(JSON.stringify({ version: REPORT_VERSION, ...report }));
