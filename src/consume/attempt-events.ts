import type { AttemptEvent, BusEvents, DeadLetterReason } from '../events.js';
import { publishedAtOf } from '../message/published-at.js';
import type { Clock } from '../util/clock.js';
import type { Emitter } from '../util/emitter.js';
import type { Work } from './concurrency.js';

type FailureName = 'handler.failed' | 'handler.timedOut';

/** Tells what happens to attempts. Builds nothing for an event that nobody listens to. */
export class AttemptEvents {
  constructor(
    private readonly service: string,
    private readonly events: Emitter<BusEvents>,
    private readonly clock: Clock,
  ) {}

  started(work: Work): void {
    if (this.events.has('handler.started')) this.events.emit('handler.started', this.about(work));
  }

  /** @param startedAt of its code, in monotonic milliseconds */
  succeeded(work: Work, startedAt: number): void {
    if (!this.events.has('handler.succeeded')) return;
    this.events.emit('handler.succeeded', {
      ...this.about(work),
      durationMs: this.clock.monotonic() - startedAt,
      sincePublishedMs: this.ageMs(work),
    });
  }

  /** @param startedAt of its code, in monotonic milliseconds */
  failed(name: FailureName, work: Work, error: unknown, startedAt: number): void {
    if (!this.events.has(name)) return;
    const durationMs = this.clock.monotonic() - startedAt;
    this.events.emit(name, { ...this.about(work), durationMs, sincePublishedMs: this.ageMs(work), error });
  }

  retried(work: Work, delayMs: number, error: unknown): void {
    if (this.events.has('message.retried'))
      this.events.emit('message.retried', { ...this.about(work), delayMs, error });
  }

  released(work: Work, delayMs: number): void {
    if (this.events.has('message.released'))
      this.events.emit('message.released', { ...this.about(work), delayMs });
  }

  deadLettered(work: Work, reason: DeadLetterReason, error: unknown): void {
    if (!this.events.has('message.deadLettered')) return;
    this.events.emit('message.deadLettered', {
      ...this.about(work),
      sincePublishedMs: this.ageMs(work),
      reason,
      error,
    });
  }

  discarded(work: Work): void {
    if (this.events.has('message.discarded')) this.events.emit('message.discarded', this.about(work));
  }

  private about({ received, match }: Work): AttemptEvent {
    return {
      service: this.service,
      queue: received.delivery.queue,
      handler: match?.handler.name,
      exchange: received.exchange,
      routingKey: received.routingKey,
      messageId: received.messageId,
      attempt: received.attempt,
    };
  }

  private ageMs({ received }: Work): number | undefined {
    const at = publishedAtOf(received.delivery.properties);
    return at === undefined ? undefined : this.clock.now() - at;
  }
}
