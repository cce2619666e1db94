import { randomUUID } from 'node:crypto';
import { CrashedError } from '../../errors.js';
import { MIN_DELAY_MS } from '../../message/delay-range.js';
import type { Attempt } from '../../pipeline/attempt.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { type Effect, HANDLED_ELSEWHERE, type Outcome, releaseFor } from '../../pipeline/outcome.js';
import type { Received } from '../../pipeline/received.js';
import type { GuardStage } from '../../pipeline/stage.js';
import type { Work } from '../../pipeline/work.js';
import type { LeaseAnswer, LeaseStore } from '../../stores/leases.js';
import type { Clock } from '../../util/clock.js';
import { joined } from '../../util/text/joined.js';
import { DONE_KEPT_MS, HeldLease } from './held-lease.js';
import type { LongSettings } from './option.js';
import { AWAY_MS, roundMs } from './rounds.js';

/** Parts of the bus that handlers with a lease are made with. */
export interface LongParts {
  readonly service: string;
  readonly clock: Clock;
  readonly leases: LeaseStore;
  /** Makes what stands guard for a message whose other run is under way; see `guard-copies.ts` of the settling. */
  readonly guarding: Guarding;
  /** Crashes of one message after which it is given up. */
  crashLimitOf(handler: PlannedHandler): number;
  /** Called when a message has its lease, and if that is lost. */
  took(work: Work, lease: HeldLease): void;
  lost(work: Work, error: Error): void;
}

/** Effect that publishes the guard of a message. @param delayMs until it looks at the lease for the first time */
export type Guarding = (work: Work, lease: string, delayMs: number) => Effect;

/**
 * Runs a handler under a lease, which is the delivery's: attempts that follow each other at once are made under the same one. Its end
 * is stored by `effects.ts`, when all else is.
 */
export function longStage(
  handler: PlannedHandler,
  settings: LongSettings,
  { longJobs }: { readonly longJobs?: LongParts | undefined },
): GuardStage {
  // A group of slots with such a handler has them.
  const parts = longJobs as LongParts;
  const { leases: store } = parts;
  const crashLimit = parts.crashLimitOf(handler);
  return (next) => async (context) => {
    const { work } = context;
    const { received } = work;
    if (work.lease instanceof HeldLease && work.lease.isHeld) {
      watchOver(work.lease, context, parts);
      return next(context);
    }
    // What nothing makes known gets an id with its copy.
    if (received.messageId === undefined) return releaseFor(MIN_DELAY_MS);
    if (received.crashes > crashLimit) return crashed(received);
    const name = leaseName(parts.service, handler, received, received.messageId);
    const takenAt = parts.clock.monotonic();
    const { follows } = received;
    let answer: LeaseAnswer;
    try {
      const heldMs = follows === undefined ? 0 : await ended(store, follows, settings.leaseMs);
      if (follows !== undefined && heldMs > 0) return guarded(parts.guarding(work, follows, roundMs(heldMs)));
      answer = await store.take(name, randomUUID(), settings.leaseMs);
    } catch (error) {
      return unknown(error, context, () =>
        parts.guarding(work, name, Math.min(AWAY_MS, settings.leaseMs / 2)),
      );
    }
    if (answer.kind === 'held') return guarded(parts.guarding(work, name, roundMs(answer.leftMs)));
    if (answer.kind === 'done') return done(received);
    const { fence } = answer;
    const { clock } = parts;
    const lease = new HeldLease({
      ...{ store, clock, log: context.log, settings, name, fence, takenAt, handler: handler.name },
      onLost: () => {},
    });
    parts.took(work, lease);
    work.lease = lease;
    watchOver(lease, context, parts);
    return next(context);
  };
}

/**
 * Marks as done what the attempt had a lease for that has sent a message back: its own end may not have come so far, and what was
 * delivered for it, and comes again, would else run beside what follows it.
 *
 * @returns milliseconds for which it is held: it ends just now, or has begun again
 */
async function ended(store: LeaseStore, name: string, forMs: number): Promise<number> {
  const answer = await store.take(name, randomUUID(), forMs);
  if (answer.kind === 'taken') await store.finish(name, answer.fence, DONE_KEPT_MS);
  return answer.kind === 'held' ? answer.leftMs : 0;
}

/**
 * One for each delivery of a message, whatever has brought it: the broker, or a guard that has taken its place. A replay has another one
 * than what it replays, and so has what was published later under the same id, as far as that can be seen. The sendings of a job that
 * was moved have one id, and a lease each.
 */
function leaseName(
  service: string,
  { queue, name }: PlannedHandler,
  { attempt, releases, job, run = '', delivery }: Received,
  messageId: string,
): string {
  const numbers = [attempt, releases, job?.version ?? 1].map(String);
  const publishedAt = String(delivery.properties.timestamp ?? '');
  return joined(service, queue, name, ...numbers, run, publishedAt, messageId);
}

function watchOver(lease: HeldLease, context: Attempt, { lost }: LongParts): void {
  lease.onLost = (error) => {
    lost(context.work, error);
    context.abort(error);
  };
}

/**
 * A message that comes for the first time under an id that another has had, or as the second copy of one that travelled on when its
 * process died, is another one than was handled: it comes back under a lease of its own.
 */
function done(received: Received): Outcome {
  return received.redelivered ? HANDLED_ELSEWHERE : { ...releaseFor(MIN_DELAY_MS), isAnother: true };
}

const guarded = (guard: Effect): Outcome => ({
  kind: 'skip',
  because: 'running',
  continues: true,
  isElsewhere: true,
  effects: [guard],
});

/** A release would change the name of its lease: what was delivered before would then run beside its first run. */
function unknown(error: unknown, { log, work }: Attempt, guard: () => Effect): Outcome {
  if (!work.received.redelivered) return storeAway(log, error, 'no lease could be taken');
  log.warn({ error }, 'whether another run of a message is under way could not be asked: it is asked later');
  return guarded(guard());
}

function crashed({ crashes }: Received): Outcome {
  const deaths = Array.from({ length: crashes }, () => 'its lease ended without it');
  return { kind: 'dead-letter', reason: 'crashed', error: new CrashedError(deaths) };
}
