import type { MessageContext } from '../../message/context.js';
import { keyText } from '../../message/wire/key-text.js';
import { publishedAtOf } from '../../message/wire/published-at.js';
import { type Attempt, longestAttemptMs } from '../../pipeline/attempt.js';
import { withEffect } from '../../pipeline/effect.js';
import { storeAway } from '../../pipeline/errors/store-away.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import { BUSY, type Outcome, RETURN, releaseFor, releaseWhileTaken } from '../../pipeline/outcome.js';
import type { Parking } from '../../pipeline/parking.js';
import type { GuardStage, Handling } from '../../pipeline/stage.js';
import type { SemaphoreStore } from '../../stores/semaphores.js';
import type { Stores } from '../../stores/stores.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { joined } from '../../util/text/joined.js';
import type { LimitedHandler, LimitsInForce } from '../limits/limits-in-force.js';
import { Permit, type PermitTime, type Place } from './key-line.js';
import { keepWhileRunning } from './left-running.js';
import type { PermitsSettings } from './option.js';
import { Permits } from './permits.js';

export interface PermitStageOptions {
  readonly service: string;
  readonly stores: Pick<Stores, 'semaphores'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly timeoutGraceMs: number;
  readonly parking: Parking;
  /** All handlers that share the slots. */
  readonly handlers: readonly PlannedHandler[];
  readonly stopping: { readonly isStopping: boolean };
  /** What operators have set in place of handlers' own limits. */
  readonly limits: Pick<LimitsInForce, 'concurrencyOf'>;
  /** What becomes of a message for which a handler's own code, asked before it, has thrown. */
  failed(context: Attempt, error: unknown): Outcome;
}

/** Time for which a permit is held beyond the longest attempt: it is handed on, and may wait for a slot. */
const SPARE_MS = 1_000;

/** Has only so many messages of a handler, or of a key, run at once, over all processes. */
export function permitStage(
  handler: PlannedHandler,
  settings: PermitsSettings,
  options: PermitStageOptions,
): GuardStage {
  const guard = new PermitGuard(handler, settings, options);
  return (next) => (context) => guard.pass(next, context);
}

/**
 * Begins a message once it has a permit of its key, and gives that back when its code has really ended. What has to wait gives up its
 * slot; what can't wait here comes back later.
 */
class PermitGuard {
  private readonly permits: Permits;
  private readonly longest: PermitTime;
  /** True if the queue has nothing else than what waits for the same permits: then as much waits here as is fetched. */
  private readonly isAlone: boolean;

  constructor(
    private readonly handler: PlannedHandler,
    private readonly settings: PermitsSettings,
    private readonly options: PermitStageOptions,
  ) {
    const { service, stores, clock, log, handlers, timeoutGraceMs } = options;
    const { queue, name } = handler;
    this.permits = new Permits({
      // A handler with a limit is refused without a store of semaphores.
      store: stores.semaphores as SemaphoreStore,
      named: (key) => joined(service, queue, name, key),
      limit: () => options.limits.concurrencyOf(handler as LimitedHandler) ?? settings.limit,
      clock,
      log,
    });
    const leastMs = longestAttemptMs(handler, timeoutGraceMs);
    this.longest = { forMs: leastMs + SPARE_MS, leastMs };
    this.isAlone = !settings.by && handlers.filter((each) => each.queue === queue).length === 1;
  }

  async pass(next: Handling, context: Attempt): Promise<Outcome> {
    let key: string;
    try {
      key = this.keyOf(context.payload, context);
    } catch (error) {
      return this.options.failed(context, error);
    }
    try {
      const permit =
        (await this.permits.tryTake(key, timeOf(context, this.longest))) ?? (await this.waited(key, context));
      return permit instanceof Permit ? this.run(permit, next, context) : permit;
    } catch (error) {
      return storeAway(context.log, error, 'a permit of its concurrency could not be asked for');
    }
  }

  private keyOf(payload: unknown, context: MessageContext): string {
    const { by } = this.settings;
    return by ? keyText(by(payload, context), `concurrency.by of '${this.handler.name}'`) : '';
  }

  /** What has waited has a permit and a slot, or an outcome. */
  private async waited(key: string, context: Attempt): Promise<Permit | Outcome> {
    if (this.settings.skip && !mayHaveBegun(context)) return BUSY;
    const { work } = context;
    const { parking, clock } = this.options;
    const age = publishedAtOf(work.received.delivery.properties) ?? clock.now();
    const place = this.permits.wait(key, age, timeOf(context, this.longest), this.mostOf(context));
    if (!place) return this.later(key, context);
    const most = this.isAlone ? Number.POSITIVE_INFINITY : parking.mostOf(work);
    if (!parking.park(work, most, place.leave)) {
      place.leave();
      return work.received.delivery.lost ? RETURN : this.later(key, context);
    }
    return this.turnOf(place, context);
  }

  private async turnOf({ turn }: Place, context: Attempt): Promise<Permit | Outcome> {
    const { parking, clock } = this.options;
    const permit = await turn;
    if (permit === 'left') return RETURN;
    if (permit === 'overdue') return releaseWhileTaken(context);
    if (!(await parking.resume(context.work))) {
      void permit.line.ended(permit);
      return RETURN;
    }
    const { forMs, leastMs } = timeOf(context, this.longest);
    // It has waited for a slot, or is one that was handed on.
    const isEnough = permit.until - clock.monotonic() >= leastMs || (await this.renewed(permit, forMs));
    return isEnough ? permit : releaseWhileTaken(context);
  }

  private async renewed(permit: Permit, forMs: number): Promise<boolean> {
    let isHeld = false;
    try {
      isHeld = await this.permits.renew(permit, forMs);
    } finally {
      if (!isHeld) void permit.line.ended(permit);
    }
    return isHeld;
  }

  private async run(permit: Permit, next: Handling, context: Attempt): Promise<Outcome> {
    const letGo = this.holdWithLease(permit, context);
    let outcome: Outcome;
    try {
      outcome = await next(context);
    } catch (error) {
      letGo?.();
      void this.ended(permit, context);
      throw error;
    }
    if (outcome.effects && outcome.effects.length > 0) {
      const giveBack = () => this.giveBack(permit, context, letGo);
      // What the message leads to is stored before another of its key begins.
      return withEffect(outcome, { what: 'the permit of a key', run: giveBack, onUnreached: giveBack });
    }
    await this.giveBack(permit, context, letGo);
    return outcome;
  }

  /** Never rejects. */
  private async giveBack(permit: Permit, context: Attempt, letGo: (() => void) | undefined): Promise<void> {
    letGo?.();
    const stored = this.ended(permit, context);
    // Later nobody may be there to do so.
    if (this.options.stopping.isStopping) await stored;
  }

  private ended(permit: Permit, context: Attempt): Promise<void> | undefined {
    const { leftRunning } = context;
    if (!leftRunning) return permit.line.ended(permit);
    const { clock, log, stopping } = this.options;
    const { permits } = this;
    const { forMs } = timeOf(context, this.longest);
    keepWhileRunning({ permits, clock, log, stopping, forMs }, permit, leftRunning);
    return undefined;
  }

  /** Returns what ends that: the permit may go to another message under the same lease, or another one. */
  private holdWithLease(permit: Permit, { work: { lease } }: Attempt): (() => void) | undefined {
    return lease?.onRenewal(async (forMs) => {
      if (permit.isOver || (await this.permits.renew(permit, forMs))) return;
      throw new Error(
        `the permit '${permit.line.name}' has ended: another of its key may run beside this one`,
      );
    });
  }

  /** Of one key no more waits here than leaves room for others. */
  private mostOf({ work }: Attempt): number {
    return this.isAlone ? Number.POSITIVE_INFINITY : Math.ceil(this.options.parking.mostOf(work) / 2);
  }

  /** Where many are sent away, each comes back about when its turn is: they don't all come for one permit. */
  private later(key: string, context: Attempt): Outcome {
    const { delayMs } = releaseWhileTaken(context);
    const promisedMs = this.permits.promise(key);
    return promisedMs === undefined ? releaseFor(delayMs) : releaseFor(Math.min(promisedMs, 2 * delayMs));
  }
}

/** A permit of a job under a lease is held as the lease is, any other for as long as the attempt may take. */
function timeOf({ work: { lease } }: Attempt, longest: PermitTime): PermitTime {
  return lease ? { forMs: lease.forMs, leastMs: lease.forMs / 2 } : longest;
}

/** What is dropped in place of waiting must not be what was begun, and is to be brought to an end. */
const mayHaveBegun = ({ attempt, work: { received } }: Attempt): boolean =>
  attempt > 1 || received.redelivered || received.releases > 0;
