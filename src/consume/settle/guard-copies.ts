import type { Guarding } from '../../features/long/stage.js';
import { MIN_DELAY_MS } from '../../message/delay-range.js';
import { HEADER, textIn } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import { isOwnFault } from '../../pipeline/errors/final-errors.js';
import type { Effect, EndedOtherwise } from '../../pipeline/outcome.js';
import type { Received } from '../../pipeline/received.js';
import type { Work } from '../../pipeline/work.js';
import { PROBE_EXCHANGE } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { deadLetter, delayedCopy, leastLetter, type NextAttempt } from './republish.js';

/*
 * A message that was delivered again while its first run goes on travels as a guard: a copy with all its counters, which goes round
 * through the delays to the queue of guards until the lease of that run is done, or over. It is never handed to a handler there, and
 * belongs to no version of the service.
 */

/** A message on its way round. */
export interface Guard {
  /** Queue that it is of, that of a lane. */
  readonly home: string;
  /** Name of the lease that it waits for. */
  readonly lease: string;
}

export interface GuardCopiesOptions {
  readonly session: Pick<Session, 'publish'>;
  readonly clock: Clock;
  readonly publishDeadlineMs: number;
  /** Queue of the service's guards. */
  readonly guards: string;
}

/** Makes the effect that puts a guard in the place of a delivery. */
export const guardingWith =
  (options: GuardCopiesOptions): Guarding =>
  (work, lease, delayMs) =>
    new GuardCopy(options, work, lease, delayMs);

class GuardCopy implements Effect {
  readonly what = 'the guard of a job that runs';

  constructor(
    private readonly options: GuardCopiesOptions,
    private readonly work: Work,
    private readonly lease: string,
    private readonly delayMs: number,
  ) {}

  async run(): Promise<void> {
    const { session, clock, guards, publishDeadlineMs } = this.options;
    const { work, lease, delayMs } = this;
    const { received } = work;
    const next = { ...received, firstAttemptAt: work.firstAttemptAt(clock) };
    const copy = delayedCopy(received, delayMs, next, publishDeadlineMs);
    await session.publish(guardOf(copy, guards, { home: received.delivery.queue, lease }));
  }

  onError(error: unknown): EndedOtherwise | undefined {
    return isOwnFault(error) ? { kind: 'dead-letter', reason: 'unsendable', error } : undefined;
  }
}

/** What a guard says of itself; undefined for what is none. */
export function guardIn({ isTravelling, delivery }: Received): Guard | undefined {
  if (!isTravelling) return undefined;
  const { headers } = delivery.properties;
  const home = textIn(headers, HEADER.guardOf);
  const lease = textIn(headers, HEADER.lease);
  return home === undefined || lease === undefined ? undefined : { home, lease };
}

/** The guard once more round. */
export function roundAgain(
  received: Received,
  guard: Guard,
  delayMs: number,
  deadlineMs: number,
): OutgoingMessage {
  const copy = delayedCopy(received, delayMs, later(received, delayMs), deadlineMs);
  return guardOf(copy, received.delivery.queue, guard);
}

/**
 * The message on its way back to its queue.
 *
 * @param changed counters that are others than before
 */
export function homeward(
  received: Received,
  { home }: Guard,
  changed: Pick<Partial<Received>, 'crashes' | 'releases'>,
  { delayMs, deadlineMs }: { readonly delayMs: number; readonly deadlineMs: number },
): OutgoingMessage {
  const its = { ...received, ...changed };
  return { ...delayedCopy(its, delayMs, later(its, delayMs), deadlineMs), to: 'queue', queue: home };
}

/**
 * Where a message goes that can't go on, in the order in which it is tried: to the dead letters of its home, as far as it fits; at last
 * to the queue of what is lost, as one does at once that has no home. Each is made for the error that keeps it from going on.
 */
export function lastWays(
  received: Received,
  home: string | undefined,
  { now, deadlineMs }: { now(): number; readonly deadlineMs: number },
): ((why: unknown) => OutgoingMessage)[] {
  const letterIn = (form: typeof deadLetter) => (error: unknown) => {
    const { attempt, exceptions } = received;
    const failedAt = now();
    const story = { attempt, exceptions, failedAt, firstAttemptAt: received.firstAttemptAt ?? failedAt };
    return { ...form(received, { reason: 'unsendable', error, ...story }, deadlineMs) };
  };
  const whole = letterIn(deadLetter);
  const least = letterIn(leastLetter);
  // Through the delays, to where nothing is bound: a service need not have the right to write to that queue itself.
  const nowhere = { to: 'exchange', exchange: PROBE_EXCHANGE, routingKey: 'lost' } as const;
  const lost = (message: OutgoingMessage): OutgoingMessage => ({
    ...message,
    ...nowhere,
    delayMs: MIN_DELAY_MS,
  });
  if (home === undefined)
    return [() => lost(delayedCopy(received, 0, received, deadlineMs)), (why) => lost(least(why))];
  const dead = (message: OutgoingMessage): OutgoingMessage => {
    const headers = { ...message.properties.headers, [HEADER.queue]: home };
    return { ...message, to: 'dead-letters', queue: home, properties: { ...message.properties, headers } };
  };
  return [(why) => dead(whole(why)), (why) => dead(least(why)), (why) => lost(dead(least(why)))];
}

function guardOf(copy: OutgoingMessage, queue: string, { home, lease }: Guard): OutgoingMessage {
  const headers = { ...copy.properties.headers, [HEADER.guardOf]: home, [HEADER.lease]: lease };
  return { ...copy, to: 'queue', queue, properties: { ...copy.properties, headers } } as OutgoingMessage;
}

const later = (received: Received, delayMs: number): NextAttempt => {
  const { elapsedMs } = received;
  return { ...received, elapsedMs: elapsedMs === undefined ? undefined : elapsedMs + delayMs };
};
