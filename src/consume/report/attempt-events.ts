import type { AttemptEvent, BusEvents, DeadLetteredEvent, HandlerEndedEvent } from '../../events.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import type { Clock } from '../../util/clock.js';
import type { Emitter } from '../../util/emitter.js';
import { ageMs, isFirstDelivery, waitMs } from './age.js';
import type { FiguresOfHandler } from './figures.js';
import type { SlowOutcome } from './messages.js';

type FailureName = 'handler.failed' | 'handler.timedOut';

/** Emits the events of attempts, and counts them. An event without listeners is not built. */
export class AttemptEvents {
  constructor(
    private readonly service: string,
    private readonly events: Emitter<BusEvents>,
    private readonly clock: Clock,
    private readonly figures: ReadonlyMap<PlannedHandler, FiguresOfHandler> = new Map(),
  ) {}

  /** @param now in monotonic milliseconds */
  started(work: Work, now: number): void {
    const figures = this.figuresOf(work);
    if (figures) {
      figures.began(now);
      if (figures.wantsWait(now)) this.countWait(figures, work, now);
    }
    if (this.events.has('handler.started')) this.events.emit('handler.started', this.about(work, {}));
  }

  /**
   * Counts the end of an attempt's code, in whatever way it ended: called before {@link succeeded} or {@link failed}.
   *
   * @returns the moment, in monotonic milliseconds
   */
  ended(work: Work, startedAt: number, isFailure: boolean): number {
    const now = this.clock.monotonic();
    const figures = this.figuresOf(work);
    if (!figures) return now;
    const runMs = now - startedAt;
    figures.ended(now, runMs, isFailure);
    if (runMs > figures.slowest.above) this.keepSlow(figures, work, runMs, isFailure);
    return now;
  }

  /** @param durationMs run time of its code */
  succeeded(work: Work, durationMs: number): void {
    if (this.events.has('handler.succeeded'))
      this.events.emit('handler.succeeded', this.handlerEnded(work, durationMs));
  }

  /** @param durationMs run time of its code */
  failed(name: FailureName, work: Work, error: unknown, durationMs: number): void {
    const figures = this.figuresOf(work);
    if (name === 'handler.timedOut') figures?.timedOut();
    else figures?.failedWith(error, this.clock.now());
    if (this.events.has(name))
      this.events.emit(name, Object.assign(this.handlerEnded(work, durationMs), { error }));
  }

  retried(work: Work, delayMs: number, error: unknown): void {
    this.figuresOf(work)?.retried();
    this.became(work, 'retried');
    if (this.events.has('message.retried'))
      this.events.emit('message.retried', this.about(work, { delayMs, error }));
  }

  released(work: Work, delayMs: number): void {
    this.became(work, 'released');
    if (this.events.has('message.released'))
      this.events.emit('message.released', this.about(work, { delayMs }));
  }

  deadLettered(
    work: Work,
    given: Pick<DeadLetteredEvent, 'reason' | 'error' | 'failedError' | 'deadQueue'>,
  ): void {
    this.figuresOf(work)?.gaveUp();
    this.became(work, 'dead-lettered');
    if (!this.events.has('message.deadLettered')) return;
    const sincePublishedMs = this.ageMs(work);
    this.events.emit('message.deadLettered', this.about(work, { ...given, sincePublishedMs }));
  }

  /** Another run of the message is under way, and a guard takes the place of its delivery. */
  guarded(work: Work): void {
    if (this.events.has('message.guarded')) this.events.emit('message.guarded', this.about(work, {}));
  }

  leaseLost(work: Work, error: Error): void {
    if (this.events.has('handler.leaseLost'))
      this.events.emit('handler.leaseLost', this.about(work, { error }));
  }

  skipped(work: Work): void {
    if (this.events.has('message.skipped')) this.events.emit('message.skipped', this.about(work, {}));
  }

  discarded(work: Work, error: unknown): void {
    this.became(work, 'discarded');
    if (this.events.has('message.discarded'))
      this.events.emit('message.discarded', this.about(work, { error }));
  }

  requestFailed(work: Work, error: unknown, isAnswered: boolean): void {
    if (this.events.has('message.failed'))
      this.events.emit('message.failed', this.about(work, { error, isAnswered }));
  }

  /** Fields of the attempt are assigned: a spread of them before other fields costs 2 µs. */
  private about<More extends object>({ received, match, attempt }: Work, more: More): AttemptEvent & More {
    const about: AttemptEvent = {
      service: this.service,
      queue: received.delivery.queue,
      handler: match?.handler.name,
      exchange: received.exchange,
      routingKey: received.routingKey,
      messageId: received.messageId,
      attempt,
      tries: match?.handler.retry.tries,
    };
    return Object.assign(about, more);
  }

  /** As one literal: it is built for each message that metrics see, and a second object would cost as much again. */
  private handlerEnded(work: Work, durationMs: number): HandlerEndedEvent {
    const { received, match, attempt } = work;
    const { delivery, exchange, routingKey, messageId } = received;
    const sincePublishedMs = this.ageMs(work);
    return {
      service: this.service,
      queue: delivery.queue,
      handler: match?.handler.name,
      exchange,
      routingKey,
      messageId,
      attempt,
      tries: match?.handler.retry.tries,
      durationMs,
      lost: work.isGone,
      sincePublishedMs,
      waitMs:
        sincePublishedMs === undefined || !isFirstDelivery(work)
          ? undefined
          : Math.max(0, sincePublishedMs - durationMs),
    };
  }

  private figuresOf({ match }: Work): FiguresOfHandler | undefined {
    return match && this.figures.get(match.handler);
  }

  private countWait(figures: FiguresOfHandler, work: Work, now: number): void {
    const wait = waitMs(work, this.clock);
    if (wait !== undefined) figures.waited(now, wait);
  }

  private keepSlow({ slowest }: FiguresOfHandler, work: Work, runMs: number, isFailure: boolean): void {
    const { received, attempt } = work;
    slowest.keep({
      messageId: received.messageId,
      attempt,
      runMs,
      endedAt: this.clock.now(),
      outcome: isFailure ? 'failed' : 'handled',
    });
  }

  private became(work: Work, outcome: SlowOutcome): void {
    this.figuresOf(work)?.slowest.became(work.received.messageId, work.attempt, outcome);
  }

  private ageMs(work: Work): number | undefined {
    return ageMs(work, this.clock);
  }
}
