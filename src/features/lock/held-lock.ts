import { LockLostError } from '../../errors.js';
import type { Lock } from '../../message/lock.js';
import type { LeaseStore } from '../../stores/leases.js';
import type { Clock, Timer } from '../../util/clock.js';

/** Renewals in the time of a lock: one may fail, and another, before it is lost. */
const RENEWALS = 4;

/** Share of its time after which a lock that is not renewed counts as lost: what the signal stops has the rest to come to an end. */
const LOST_AFTER = 0.9;

/** Where a lock is held, and for how long. */
export interface LockPlace {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  /** Name for the user. */
  readonly name: string;
  /** Name of its lease. */
  readonly key: string;
  readonly ttlMs: number;
  /** Called when it is given back. */
  onReleased(lock: HeldLock): void;
}

/** A lock from when it is taken until it is given back or lost: a lease that renews itself. */
export class HeldLock implements Lock {
  private readonly controller = new AbortController();
  private renewal: Timer | undefined;
  /** Undefined once it is given back or lost. */
  private loss: Timer | undefined;
  /** Monotonic milliseconds; by then another may have it. */
  private heldUntil = 0;
  private isGivenBack = false;
  private isReleased = false;
  /** Why it could not be renewed. */
  private fault: unknown;

  /** @param askedAt when the store was asked for it, in monotonic milliseconds: its time counts from there */
  constructor(
    private readonly place: LockPlace,
    readonly fence: number,
    askedAt: number,
  ) {
    this.holdFrom(askedAt);
    this.renewLater();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  mustBeHeld(): void {
    const { name, clock } = this.place;
    if (this.isGivenBack) throw new LockLostError(`the lock '${name}' was given back`);
    // A process that stood still runs this before its timers.
    if (clock.monotonic() >= this.heldUntil) this.lose('was not renewed in time');
    if (this.signal.aborted) throw this.signal.reason;
  }

  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isGivenBack = true;
    this.stop();
    await this.place.leases.release(this.place.key, this.fence);
    this.isReleased = true;
    this.place.onReleased(this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /** Fires the signal, for code that goes on though it may no longer. @param how it was lost, as the end of a sentence */
  lose(how: string): void {
    this.stop();
    if (this.isGivenBack || this.signal.aborted) return;
    this.controller.abort(new LockLostError(`the lock '${this.place.name}' ${how}`, { cause: this.fault }));
  }

  private holdFrom(askedAt: number): void {
    const { clock, ttlMs } = this.place;
    this.heldUntil = askedAt + ttlMs * LOST_AFTER;
    this.loss?.cancel();
    this.loss = clock.setTimer(
      () => this.lose('was not renewed in time'),
      Math.max(0, this.heldUntil - clock.monotonic()),
    );
  }

  /** The next renewal does not wait for the answer of this one. */
  private renewLater(): void {
    const { clock, ttlMs } = this.place;
    this.renewal = clock.setTimer(() => {
      this.renewLater();
      void this.renew();
    }, ttlMs / RENEWALS);
  }

  private async renew(): Promise<void> {
    const { leases, clock, key, ttlMs } = this.place;
    const askedAt = clock.monotonic();
    try {
      const isMine = await leases.renew(key, this.fence, ttlMs);
      if (this.loss === undefined) return;
      if (isMine) this.holdFrom(askedAt);
      else this.lose('is no longer known to its store');
    } catch (error) {
      this.fault = error;
    }
  }

  private stop(): void {
    this.renewal?.cancel();
    this.loss?.cancel();
    this.loss = undefined;
    this.heldUntil = 0;
  }
}
