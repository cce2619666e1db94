import { LeaseLostError } from '../../errors.js';
import type { AttemptLease } from '../../pipeline/lease.js';
import type { LeaseStore } from '../../stores/leases.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { LongSettings } from './option.js';

/** Longer than any guard of it goes round. */
export const DONE_KEPT_MS = 7 * 24 * 60 * 60_000;

/** Interval at which a lease looks at the time: so late is seen, at most, that the process stood still. */
const BEAT_MS = 1_000;

/** Part of the lease's time before its end at which it counts as lost: what has begun then has time to stop. */
const MARGIN = 1 / 8;
const MOST_MARGIN_MS = 10_000;

export interface HeldLeaseOptions {
  readonly store: LeaseStore;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly settings: LongSettings;
  readonly name: string;
  readonly fence: number;
  /** Name of the handler, for errors. */
  readonly handler: string;
  /** When it was asked for, in monotonic milliseconds: the store counts from later on. */
  readonly takenAt: number;
  /** Called once, if it is lost. May not throw. */
  onLost(error: LeaseLostError): void;
}

/**
 * A lease that is held and renewed, until it is finished, released or lost. It is lost some time before the store gives it to another, and
 * by every look at it: a process that has stood still, and goes on, finds it so before any timer of it has fired.
 */
export class HeldLease implements AttemptLease {
  private state: 'held' | 'lost' | 'done' | 'released' = 'held';
  private readonly marginMs: number;
  private readonly beatMs: number;
  /** When the store may give it to another, in monotonic milliseconds. */
  private endsAt: number;
  private renewAt: number;
  private timer: Timer | undefined;
  private isAway = false;
  private readonly renewals = new Set<(forMs: number) => Promise<unknown>>();
  /** Told of the loss; the attempt that runs under it. */
  onLost: (error: LeaseLostError) => void;

  constructor(private readonly options: HeldLeaseOptions) {
    const { settings, takenAt, onLost } = options;
    const { leaseMs, renewMs } = settings;
    this.onLost = onLost;
    this.marginMs = Math.min(leaseMs * MARGIN, MOST_MARGIN_MS);
    this.beatMs = Math.min(BEAT_MS, renewMs, this.marginMs);
    this.endsAt = takenAt + leaseMs;
    this.renewAt = takenAt + renewMs;
    this.beatLater();
  }

  get name(): string {
    return this.options.name;
  }

  get fence(): number {
    return this.options.fence;
  }

  get forMs(): number {
    return this.options.settings.leaseMs;
  }

  get isHeld(): boolean {
    if (this.state === 'held' && this.now >= this.endsAt - this.marginMs)
      this.lose('was not renewed in time: its store did not answer, or the process stood still');
    return this.state === 'held';
  }

  get isLost(): boolean {
    return !this.isHeld && this.state === 'lost';
  }

  get isDone(): boolean {
    return this.state === 'done';
  }

  onRenewal(renew: (forMs: number) => Promise<unknown>): () => void {
    this.renewals.add(renew);
    return () => void this.renewals.delete(renew);
  }

  mustBeHeld(call: string): void {
    if (!this.isHeld) throw this.refusal(call);
  }

  async mustBeMine(call: string): Promise<void> {
    this.mustBeHeld(call);
    await this.renew();
    this.mustBeHeld(call);
  }

  async finish(): Promise<void> {
    const { store, name, fence, handler, log } = this.options;
    const isMine = await store.finish(name, fence, DONE_KEPT_MS);
    this.end(isMine ? 'done' : 'lost');
    if (!isMine)
      log.warn(
        { handler, lease: name },
        'a job has ended whose lease the store did not have any more: it may run again',
      );
  }

  async release(): Promise<void> {
    const { store, name, fence, log } = this.options;
    this.end('released');
    try {
      await store.release(name, fence);
    } catch (error) {
      log.warn({ lease: name, error }, 'the lease of a job could not be given back: it ends with its time');
    }
  }

  /** Renews it no more: the process goes on without looking after what runs under it. */
  abandon(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  private get now(): number {
    return this.options.clock.monotonic();
  }

  private beatLater(): void {
    this.timer = this.options.clock.setTimer(() => this.beat(), this.beatMs);
  }

  private beat(): void {
    this.timer = undefined;
    if (!this.isHeld) return;
    this.beatLater();
    if (this.now < this.renewAt) return;
    // Asked again at the next beat if it fails, and after the interval if it is not answered.
    this.renewAt = this.now + this.options.settings.renewMs;
    this.renew().catch((error) => this.renewLater(error));
  }

  private renewLater(error: unknown): void {
    this.renewAt = this.now;
    const { log, name, handler } = this.options;
    if (!this.isAway)
      log.warn({ handler, lease: name, error }, 'the lease of a job can not be renewed: it is tried again');
    this.isAway = true;
  }

  private async renew(): Promise<void> {
    const { store, name, fence, settings } = this.options;
    const askedAt = this.now;
    const isMine = await store.renew(name, fence, settings.leaseMs);
    // An answer that comes too late is none.
    if (!this.isHeld) return;
    if (!isMine) {
      this.lose('is not in its store any more, or another run has it');
      return;
    }
    this.isAway = false;
    this.endsAt = Math.max(this.endsAt, askedAt + settings.leaseMs);
    for (const renewal of this.renewals) renewal(settings.leaseMs).catch((error) => this.notRenewed(error));
  }

  private notRenewed(error: unknown): void {
    const { log, name, handler } = this.options;
    log.warn(
      { handler, lease: name, error },
      'what is held as long as the lease of a job can not be renewed',
    );
  }

  private lose(why: string): void {
    this.end('lost');
    this.onLost(new LeaseLostError(`the lease of a job of handler ${this.options.handler} ${why}`));
  }

  private end(state: HeldLease['state']): void {
    this.state = state;
    this.abandon();
  }

  private refusal(call: string): LeaseLostError {
    return LeaseLostError.refusing(call, this.options.handler);
  }
}
