import type { AttemptEvent, BusEvents, DeadLetterReason } from '../../events.js';
import { formatMs } from '../../util/duration.js';
import { cutText } from '../../util/text/cut-text.js';
import { errorKind, errorText } from '../../util/text/error-text.js';
import type { Counted, Wording } from './sum.js';

/** Outcome of a failed message; sums have a field of this name for each. */
export type Fate = 'retried' | 'discarded' | 'deadLettered' | 'answered';

/** One failure, from its event. */
export interface Failure {
  readonly fate: Fate;
  readonly event: AttemptEvent & {
    readonly delayMs?: number;
    readonly reason?: DeadLetterReason;
    readonly deadQueue?: string;
    readonly isAnswered?: boolean;
  };
  readonly error: unknown;
  /** True if the attempt itself did not fail: the handler's `failed()` threw. */
  readonly isAfterwards?: boolean;
}

/** Events of failures. */
export type FailureEvent =
  | 'message.retried'
  | 'message.discarded'
  | 'message.deadLettered'
  | 'message.failed';

const FATES: Readonly<Record<FailureEvent, Fate>> = {
  'message.retried': 'retried',
  'message.discarded': 'discarded',
  'message.deadLettered': 'deadLettered',
  'message.failed': 'answered',
};

export const FAILURE_EVENTS = Object.keys(FATES) as readonly FailureEvent[];

/** Failures that an event tells of: none for what a handler discards, two if its `failed()` threw as well. */
export function failuresOf<Name extends FailureEvent>(name: Name, event: BusEvents[Name]): Failure[] {
  const { error, failedError } = event as { error: unknown; failedError?: unknown };
  const fate = FATES[name];
  if (fate === 'discarded' && error === undefined) return [];
  const failure: Failure = { fate, event, error };
  return failedError === undefined
    ? [failure]
    : [failure, { fate, event, error: failedError, isAfterwards: true }];
}

/** How failures are told of. A dead letter needs somebody's attention; others are retried or intended. */
export const failureWording: Wording<Failure> = {
  kindOf: (failure) => `${whoFailed(failure)}\n${errorKind(failure.error)}`,
  levelOf: ({ fate }) => (fate === 'deadLettered' ? 'error' : 'warn'),
  fateOf: ({ fate }) => fate,
  fieldsOf,
  lineOf,
  sumOf,
};

/** Example: `handler 'Invoices' failed (attempt 1 of 5), retried in 4s: Error: no such customer` */
function lineOf(failure: Failure): string {
  return `${whoFailed(failure)} failed${attemptOf(failure)}, ${fateText(failure)}: ${briefly(failure)}`;
}

function sumOf(last: Failure, { count, counts, sinceMs, isMixed }: Counted): string {
  const became = becameText(counts);
  return isMixed
    ? `${count} failures of other kinds in ${formatMs(sinceMs)} (${became}), the last: ${lineOf(last)}`
    : `${whoFailed(last)} failed ${count} times more in ${formatMs(sinceMs)} (${became}), the last time with ${briefly(last)}`;
}

const WORDS: Readonly<Record<Fate, string>> = {
  retried: 'retried',
  discarded: 'discarded',
  deadLettered: 'dead-lettered',
  answered: 'answered with the error',
};

/** Example: `800 retried, 12 dead-lettered` */
function becameText(counts: Counted['counts']): string {
  const fates = (Object.keys(WORDS) as Fate[]).filter((fate) => counts[fate] !== undefined);
  return fates.map((fate) => `${counts[fate]} ${WORDS[fate]}`).join(', ');
}

const MOST_BYTES = 300;

/** An error in one line; the complete error is in the fields. */
export const briefError = (error: unknown): string =>
  cutText(errorText(error).replace(/\s+/g, ' '), MOST_BYTES);

const briefly = ({ error }: Failure): string => briefError(error);

/** Fields of a line about a failure. They never contain the payload. */
function fieldsOf({ event, error }: Failure): object {
  const { service, queue, handler, exchange, routingKey, messageId, attempt, tries } = event;
  const { delayMs, reason, deadQueue } = event;
  const about = { service, queue, handler, exchange, routingKey, messageId, attempt, tries };
  return { ...about, delayMs, reason, deadQueue, error };
}

/** Reasons for which no handler's code has failed. */
const WITHOUT_HANDLER: ReadonlySet<DeadLetterReason | undefined> = new Set<DeadLetterReason | undefined>([
  ...(['undecodable', 'invalid', 'no-handler', 'chain-broken', 'publish-refused'] as const),
  ...(['unsendable', 'internal', 'crashed'] as const),
]);

function whoFailed({ event, isAfterwards }: Failure): string {
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
  if (fate === 'answered') return event.isAnswered ? 'its requester is told' : 'its requester is not told';
  if (fate === 'retried') return delayMs === 0 ? 'retried at once' : `retried in ${formatMs(delayMs)}`;
  return `dead-lettered to ${deadQueue} as ${reason}`;
}
