import type { AttemptEvent, DeadLetterReason } from '../../events.js';
import { formatMs } from '../../util/duration.js';
import { errorKind, errorText } from '../../util/error-text.js';
import { cutText } from '../../util/text/cut-text.js';

/** Outcome of a failed message; sums have a field of this name for each. */
export type Fate = 'retried' | 'discarded' | 'deadLettered';

/** One failure, from its event. */
export interface Failure {
  readonly fate: Fate;
  readonly event: AttemptEvent & {
    readonly delayMs?: number;
    readonly reason?: DeadLetterReason;
    readonly deadQueue?: string;
  };
  readonly error: unknown;
  /** True if the attempt itself did not fail: the handler's `failed()` threw. */
  readonly isAfterwards?: boolean;
}

/** Key of the failures that are summed in one line. */
export function kindOf(failure: Failure): string {
  return `${whoFailed(failure)}\n${errorKind(failure.error)}`;
}

/** Level of a line: a dead letter needs somebody's attention; other failures are retried or intended. */
export function levelOf(fate: Fate): 'warn' | 'error' {
  return fate === 'deadLettered' ? 'error' : 'warn';
}

/** Example: `handler 'Invoices' failed (attempt 1 of 5), retried in 4s: Error: no such customer` */
export function lineOf(failure: Failure): string {
  return `${whoFailed(failure)} failed${attemptOf(failure)}, ${fateText(failure)}: ${briefly(failure)}`;
}

const MOST_BYTES = 300;

/** The error in one line; the complete error is in the fields. */
export const briefly = ({ error }: Failure): string =>
  cutText(errorText(error).replace(/\s+/g, ' '), MOST_BYTES);

/** Fields of a line about a failure. They never contain the payload. */
export function fieldsOf({ event, error }: Failure): object {
  const { service, queue, handler, exchange, routingKey, messageId, attempt, tries } = event;
  const { delayMs, reason, deadQueue } = event;
  const about = { service, queue, handler, exchange, routingKey, messageId, attempt, tries };
  return { ...about, delayMs, reason, deadQueue, error };
}

/** Reasons for which no handler's code has failed. */
const WITHOUT_HANDLER: ReadonlySet<DeadLetterReason | undefined> = new Set<DeadLetterReason | undefined>([
  ...(['undecodable', 'invalid', 'no-handler', 'chain-broken', 'unsendable', 'internal', 'crashed'] as const),
]);

export function whoFailed({ event, isAfterwards }: Failure): string {
  const { handler, queue, reason } = event;
  if (isAfterwards) return `failed() of handler '${handler}'`;
  if (handler !== undefined && !WITHOUT_HANDLER.has(reason)) return `handler '${handler}'`;
  return `a message of queue '${queue}'`;
}

function attemptOf({ event: { attempt, tries } }: Failure): string {
  const of = tries === undefined || !Number.isFinite(tries) ? '' : ` of ${tries}`;
  return ` (attempt ${attempt}${of})`;
}

function fateText({ fate, event, isAfterwards }: Failure): string {
  const { delayMs = 0, deadQueue, reason } = event;
  if (isAfterwards) return `its message is dead-lettered to ${deadQueue} all the same`;
  if (fate === 'discarded') return 'discarded, as its policy says';
  if (fate === 'retried') return delayMs === 0 ? 'retried at once' : `retried in ${formatMs(delayMs)}`;
  return `dead-lettered to ${deadQueue} as ${reason}`;
}
