import { AsyncResource } from 'node:async_hooks';
import { RequestDroppedError } from '../../errors.js';
import { returned, settledWith } from '../../features/pack/pack.js';
import { MIN_DELAY_MS } from '../../message/delay-range.js';
import type { Consuming } from '../../pipeline/consume-stage.js';
import { NO_EFFECTS } from '../../pipeline/effect.js';
import type { MiddlewareObject } from '../../pipeline/middleware.js';
import type { Effect, Outcome, OutcomeOf } from '../../pipeline/outcome.js';
import type { Later } from '../../pipeline/stage.js';
import type { Tracing } from '../../pipeline/tracing/tracing.js';
import type { Work } from '../../pipeline/work.js';
import type { Delivery } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { Handler } from '../handlers/subscription.js';
import type { AttemptEvents } from '../report/attempt-events.js';
import type { Settler } from '../settle/settle.js';
import { AttemptTraces, runInTrace } from './attempt-traces.js';
import { ConsumeWays } from './consume-ways.js';
import type { Stopping } from './context.js';
import { asksFirst, type CrashWatch } from './crash-watch.js';
import { givenUp } from './crashed.js';
import type { Dispatcher } from './dispatch.js';

export interface AttemptsOptions {
  readonly dispatcher: Pick<Dispatcher, 'attempt' | 'failed'>;
  readonly handlers: readonly Handler[];
  readonly middleware: readonly MiddlewareObject[];
  readonly settler: Pick<Settler, 'settle' | 'endAttempt' | 'endBroken'>;
  readonly events: AttemptEvents;
  readonly log: Logger;
  readonly clock: Clock;
  readonly stopping: Stopping;
  readonly tracing?: Tracing | undefined;
  /** Crash watch, asked before a redelivered message begins. */
  readonly crashWatch?: CrashWatch | undefined;
  /** True while the circuit of a handler of these slots is open. */
  isPaused(): boolean;
  /** Called before a delivery is settled; the broker is told after the returned promise has resolved. */
  settling(delivery: Delivery, lane: number): Promise<void> | undefined;
  /** Called when the message's slot is free. */
  onEnded(work: Work): void;
}

/** Takes a message that has a slot through its attempts and its settling, until the slot is free again. */
export class Attempts {
  private readonly ways: ConsumeWays | undefined;
  private readonly traces: AttemptTraces | undefined;

  constructor(private readonly options: AttemptsOptions) {
    const { dispatcher, handlers, log, middleware, tracing, clock } = options;
    this.traces = tracing && new AttemptTraces(tracing, clock);
    this.ways = ConsumeWays.of(middleware, handlers, {
      log,
      decide: (work) => this.endWithin(work, () => work.decided ?? dispatcher.attempt(work)),
      end: (work, outcome) => this.endWithin(work, () => outcome),
      fail: (work, error) => this.endWithin(work, () => dispatcher.failed(work, error)),
    });
  }

  /** Begins with a message. Never throws: whatever happens to it is an outcome. */
  readonly begin = (work: Work): void => {
    const { crashWatch } = this.options;
    if (work.overAt !== undefined) this.dropIfOver(work, work.overAt);
    if (crashWatch && asksFirst(work)) void this.askFirst(work, crashWatch);
    else if (this.traces) this.traced(work, this.traces);
    else this.attempt(work);
  };

  /** A responder that is late would work for nobody else: its requests are over when they begin. */
  private dropIfOver(work: Work, overAt: number): void {
    if (this.options.clock.monotonic() < overAt) return;
    work.isExpired = true;
    work.decided = {
      kind: 'discard',
      error: new RequestDroppedError('its time was over before it could begin'),
    };
  }

  /** The message holds its slot while the watch is asked, so that no later one overtakes it. */
  private async askFirst(work: Work, watch: CrashWatch): Promise<void> {
    work.decided = givenUp(await watch.begins(work.received)) ?? work.decided;
    // The broker delivers it again.
    if (work.received.delivery.lost) this.end(work);
    else if (this.traces) this.traced(work, this.traces);
    else this.attempt(work);
  }

  private traced(work: Work, traces: AttemptTraces): void {
    traces.begin(work);
    runInTrace(work, this.attempt);
  }

  private readonly attempt = (work: Work): void => {
    const way = this.ways?.wayOf(work);
    if (way) {
      void this.attemptWithin(way, work);
      return;
    }
    let outcome: Later<Outcome>;
    try {
      outcome = work.decided ?? this.options.dispatcher.attempt(work);
    } catch (error) {
      outcome = Promise.reject(error);
    }
    if (!(outcome instanceof Promise)) this.conclude(work, outcome);
    else
      outcome.then(
        (late) => this.conclude(work, late),
        (error) => this.endBroken(work, error),
      );
  };

  private conclude(work: Work, outcome: Outcome): void {
    this.traces?.decided(work, outcome);
    let settling: Promise<void> | undefined;
    try {
      settling = followsAtOnce(outcome) ? this.again(work, outcome) : this.settle(work, outcome);
    } catch (error) {
      settling = Promise.reject(error);
    }
    if (settling === undefined) this.end(work);
    else
      settling.then(
        () => this.end(work),
        (error) => this.endBroken(work, error),
      );
  }

  private readonly decide = (work: Work): Later<Outcome> => this.options.dispatcher.attempt(work);

  private async again(work: Work, first: Outcome): Promise<void> {
    let outcome = first;
    while (followsAtOnce(outcome)) {
      const instead = await this.following(work, outcome);
      outcome = instead ?? (await runInTrace(work, this.decide));
      if (instead) break;
      this.traces?.decided(work, outcome);
    }
    await this.settle(work, outcome);
  }

  /**
   * A backoff of 0: the next attempt begins here, at once, but after all else that this process has to do. What may not
   * begin now, since the bus stops or a circuit is open, travels on as any other retry does.
   *
   * @returns undefined if the next attempt is to begin, else what becomes of the message instead
   */
  private async following(work: Work, outcome: FollowedAtOnce): Promise<Outcome | undefined> {
    const { events, settler, stopping, isPaused } = this.options;
    await settler.endAttempt(work, outcome);
    const travelling = { ...outcome, effects: NO_EFFECTS };
    await new Promise((resolve) => setImmediate(resolve));
    // The broker delivers it again.
    if (work.comesAgain) return travelling;
    if (stopping.isStopping || isPaused()) return { ...travelling, delayMs: MIN_DELAY_MS };
    events.retried(work, 0, outcome.error);
    work.attempt += 1;
    work.exceptions = outcome.exceptions ?? work.exceptions;
    this.traces?.settled(work, outcome);
    this.traces?.begin(work);
    return undefined;
  }

  /** Takes a message through its attempts within consume middleware, which sees each of them to its end. Never rejects. */
  private async attemptWithin(way: Consuming, work: Work): Promise<void> {
    try {
      while (await this.isFollowed(way, work));
    } catch (error) {
      await this.broken(work, error, this.settling(work));
    }
    this.end(work);
  }

  /** Takes one attempt through its middleware. True if another follows at once. */
  private async isFollowed(way: Consuming, work: Work): Promise<boolean> {
    // The content that middleware has replaced was replaced for the attempt before.
    work.replaced = undefined;
    // An async context that a middleware enters for good reaches neither other messages nor the next attempt.
    const outcome = await runInTrace(work, (its) =>
      new AsyncResource('HOPLINE_CONSUME').runInAsyncScope(way, undefined, its, undefined),
    );
    if (work.isSettling || !outcome || !followsAtOnce(outcome)) return false;
    const instead = await this.following(work, outcome);
    // Not by its middleware's way: it may follow at once, and would be left as it is.
    if (instead) await this.settle(work, instead);
    return instead === undefined;
  }

  /** Ends an attempt, but for one that the next follows at once. Never rejects. */
  private async endWithin(work: Work, decide: () => Later<Outcome>): Promise<Outcome | undefined> {
    try {
      const outcome = await decide();
      this.traces?.decided(work, outcome);
      if (followsAtOnce(outcome) && !work.isGone) return outcome;
      await this.settle(work, outcome);
    } catch (error) {
      await this.broken(work, error, this.settling(work));
    }
    return work.ended;
  }

  private settle(work: Work, given: Outcome): Promise<void> | undefined {
    const ready = this.settling(work);
    return this.options.settler.settle(work, returned(work, given), ready);
  }

  /** Reports to the lane, once for each message, that the room of the message (or of its pack) in the window becomes free. */
  private settling(work: Work): Promise<void> | undefined {
    if (work.isSettling) return undefined;
    work.isSettling = true;
    const whole = settledWith(work.received.delivery);
    return whole && this.options.settling(whole, work.lane);
  }

  private end(work: Work): void {
    this.traces?.settled(work, work.ended);
    if (work.received.redelivered) this.options.crashWatch?.ended(work.received);
    this.options.onEnded(work);
  }

  private async endBroken(work: Work, error: unknown): Promise<void> {
    await this.broken(work, error, this.settling(work));
    this.end(work);
  }

  /**
   * Ends a message after a bug of Hopline: its outcome is unknown, but it ends, and is seen. Never rejects.
   *
   * @param ready resolves when the broker may be told
   */
  broken(work: Work, error: unknown, ready?: Promise<void>): Promise<void> {
    const { log, settler } = this.options;
    const { messageId, delivery } = work.received;
    log.error({ queue: delivery.queue, messageId, error }, 'dispatch failed');
    return settler.endBroken(work, error, ready);
  }
}

type FollowedAtOnce = OutcomeOf<'retry'> & { readonly effects?: readonly Effect[] };

const followsAtOnce = (outcome: Outcome): outcome is FollowedAtOnce =>
  outcome.kind === 'retry' && outcome.delayMs === 0;
