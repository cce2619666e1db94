import { randomUUID } from 'node:crypto';
import { LockTakenError, OptionsError } from '../../errors.js';
import type { Lock, LockOptions } from '../../message/lock.js';
import type { Attempt, AttemptLocks } from '../../pipeline/attempt.js';
import type { LeaseStore } from '../../stores/leases.js';
import { Backoff, triedAgain } from '../../util/backoff.js';
import {
  type Check,
  durationFrom,
  isPlainObject,
  problemsOf,
  required,
  shortPlainText,
  show,
} from '../../util/check.js';
import { type Clock, pause } from '../../util/clock.js';
import { Deadline } from '../../util/deadline.js';
import { toMs } from '../../util/duration.js';
import { joined } from '../../util/text/joined.js';
import { HeldLock } from './held-lock.js';

const NAME: Readonly<Record<string, Check>> = { name: required(shortPlainText) };
const OPTIONS = { ttl: durationFrom('100ms', '1d'), wait: durationFrom('0ms', '1d') };

/** Pauses between tries for a lock that is held. */
const PAUSES = { firstMs: 50, maxMs: 1_000, factor: 1.5 };

/** Time of a lock that is taken only to be given back. */
const TAKEN_BACK_MS = 1_000;

/** Parts of the bus that locks use. */
export interface LockParts {
  readonly stores: { readonly leases?: LeaseStore };
  readonly clock: Clock;
}

/** `context.lock`: the locks of one attempt, which are given back when it has ended. */
export class HandlerLocks implements AttemptLocks {
  private readonly held = new Set<HeldLock>();

  constructor(
    private readonly parts: LockParts,
    private readonly context: Attempt,
  ) {}

  async lock(name: string, options: LockOptions = {}): Promise<Lock> {
    check(name, options);
    const { context } = this;
    context.mustNotBeOver('lock');
    const lock = await this.taken(name, toMs(options.ttl ?? '30s'), toMs(options.wait ?? 0));
    this.held.add(lock);
    if (context.phase === 'over') await this.giveBack();
    context.mustNotBeOver('lock');
    return lock;
  }

  /** Never rejects: what can't be given back ends by itself. */
  async giveBack(): Promise<void> {
    await Promise.all([...this.held].map((lock) => this.giveBackOne(lock)));
  }

  private async giveBackOne(lock: HeldLock): Promise<void> {
    lock.lose('was given back, since the attempt had ended');
    try {
      await lock.release();
    } catch (error) {
      this.context.log.warn({ error }, 'a lock could not be given back: it ends when its time is over');
    }
  }

  /** A call whose answer is lost and that is made again finds its own lock, since its owner is the same. */
  private async taken(name: string, ttlMs: number, waitMs: number): Promise<HeldLock> {
    const { parts, context } = this;
    const { clock } = parts;
    const leases = leasesOf(parts);
    const [key, owner] = [joined('lock', name), randomUUID()];
    const onReleased = (lock: HeldLock) => this.held.delete(lock);
    const deadline = new Deadline(clock, waitMs);
    const pauses = new Backoff(PAUSES);
    // In `failed()` it may have fired long ago.
    const signal = context.phase === 'running' ? context.signal : undefined;
    for (;;) {
      signal?.throwIfAborted();
      const askedAt = clock.monotonic();
      const answer = await leases.take(key, owner, ttlMs).catch((error) => {
        void this.takeBack(leases, key, owner);
        throw error;
      });
      if (answer.kind === 'taken')
        return new HeldLock({ leases, clock, name, key, ttlMs, onReleased }, answer.fence, askedAt);
      if (deadline.expired) throw new LockTakenError(name);
      // Its time may be over before the next try is due: whoever had it has died.
      const leftMs = answer.kind === 'held' ? answer.leftMs : Number.POSITIVE_INFINITY;
      await pause(clock, Math.min(pauses.next(), leftMs, deadline.remainingMs), signal);
    }
  }

  /** Gives back what a call has taken whose answer never came: nobody else knows its owner. Never rejects. */
  private async takeBack(leases: LeaseStore, key: string, owner: string): Promise<void> {
    try {
      await triedAgain(this.parts.clock, async () => {
        // Its fence is known to who asks again; what was not taken is taken for a moment.
        const answer = await leases.take(key, owner, TAKEN_BACK_MS);
        if (answer.kind === 'taken') await leases.release(key, answer.fence);
      });
    } catch (error) {
      this.context.log.warn(
        { error },
        'a lock that may have been taken could not be given back: it ends when its time is over',
      );
    }
  }
}

/** @throws OptionsError if the bus's stores have no leases */
function leasesOf({ stores: { leases } }: LockParts): LeaseStore {
  if (leases) return leases;
  throw new OptionsError('stores', [
    'expected stores.leases to be a store of leases, as redisStores() and postgresStores() have it, got undefined',
  ]);
}

/** @throws OptionsError with all problems at once */
function check(name: string, options: LockOptions): void {
  const problems = problemsOf({ name }, '', NAME);
  if (isPlainObject(options)) problems.push(...problemsOf(options, '', OPTIONS));
  else problems.push(`expected its options to be an object, got ${show(options)}`);
  if (problems.length > 0) throw new OptionsError('lock', problems);
}
