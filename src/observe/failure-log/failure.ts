import type { AttemptEvent, DeadLetterReason } from '../../events.js';
import { cutText } from '../../util/cut-text.js';
import { formatMs } from '../../util/duration.js';
import { errorKind, errorText } from '../../util/error-text.js';

/** What became of a message that failed; sums count each in a field of this name. */
export type Fate = 'retried' | 'discarded' | 'deadLettered';

/** One failure, as its event told it. */
export interface Failure {
  readonly fate: Fate;
  readonly event: AttemptEvent & {
    readonly delayMs?: number;
    readonly reason?: DeadLetterReason;
    readonly deadQueue?: string;
  };
  readonly error: unknown;
  /** It is none of the attempt itself: the handler's `failed()` has thrown. */
  readonly isAfterwards?: boolean;
}

/** Failures of which one line speaks for all. */
export function kindOf(failure: Failure): string {
  return `${whoFailed(failure)}\n${errorKind(failure.error)}`;
}

/** A dead letter is for somebody to look at; all else mends itself, or was meant. */
export function levelOf(fate: Fate): 'warn' | 'error' {
  return fate === 'deadLettered' ? 'error' : 'warn';
}

/** `handler 'Invoices' failed (attempt 1 of 5), retried in 4s: Error: no such customer` */
export function lineOf(failure: Failure): string {
  return `${whoFailed(failure)} failed${attemptOf(failure)}, ${fateText(failure)}: ${briefly(failure)}`;
}

const MOST_BYTES = 300;

/** The error in a line; whole it is in the fields. */
export const briefly = ({ error }: Failure): string =>
  cutText(errorText(error).replace(/\s+/g, ' '), MOST_BYTES);

/** What the lines about it have in their fields. Never the payload. */
export function fieldsOf({ event, error }: Failure): object {
  const { service, queue, handler, exchange, routingKey, messageId, attempt, tries } = event;
  const { delayMs, reason, deadQueue } = event;
  const about = { service, queue, handler, exchange, routingKey, messageId, attempt, tries };
  return { ...about, delayMs, reason, deadQueue, error };
}

/** Reasons for which no code of the handler's has failed. */
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
