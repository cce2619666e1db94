import { UnroutableError } from '../errors.js';
import type { BusEvents, PublishEvent } from '../events.js';
import type { OutgoingMessage } from '../message/message.js';
import type { Published } from '../message/published.js';
import { packItemId } from '../message/wire/pack.js';
import type { PublishCall } from '../pipeline/publish-call.js';
import type { PublishFeature, Sending } from '../pipeline/publish-stage.js';
import type { Stage } from '../pipeline/stage.js';
import type { Clock } from '../util/clock.js';
import type { Emitter } from '../util/emitter.js';

/** Emits the events of publishes, for a pack one per message in it. Costs nothing while nobody listens. */
export class PublishEvents implements PublishFeature<Sending> {
  constructor(
    private readonly service: string,
    private readonly events: Emitter<BusEvents>,
    private readonly clock: Clock,
  ) {}

  asks({ isRequest }: PublishCall): boolean {
    const { events } = this;
    if (isRequest) return events.has('request.replied') || events.has('request.failed');
    return (
      events.has('message.confirmed') ||
      events.has('message.published') ||
      events.has('message.returned') ||
      events.has('message.rejected')
    );
  }

  /** No async function: it would cost as much again as all else here. */
  readonly stage: Stage<Sending> = (next) => (call, message) => {
    const confirmed = next(call, message);
    const startedAt = this.clock.monotonic();
    if (call.isRequest) return this.request(call, message, confirmed, startedAt);
    this.published(call, message);
    return confirmed.then(
      (published) => {
        this.confirmed(call, message, this.clock.monotonic() - startedAt);
        return published;
      },
      (error: Error) => this.failed(call, message, error),
    );
  };

  private request(
    call: PublishCall,
    message: OutgoingMessage,
    end: Promise<Published>,
    startedAt: number,
  ): Promise<Published> {
    const { clock, events } = this;
    const about = this.about(call, message, 0);
    return end.then(
      (replied) => {
        events.emit('request.replied', { ...about, durationMs: clock.monotonic() - startedAt });
        return replied;
      },
      (error: Error) => {
        events.emit('request.failed', { ...about, durationMs: clock.monotonic() - startedAt, error });
        throw error;
      },
    );
  }

  private published(call: PublishCall, message: OutgoingMessage): void {
    if (!this.events.has('message.published')) return;
    for (let index = 0; index < (call.items ?? 1); index += 1)
      this.events.emit('message.published', this.about(call, message, index));
  }

  private confirmed(call: PublishCall, message: OutgoingMessage, durationMs: number): void {
    const { events, service } = this;
    if (!events.has('message.confirmed')) return;
    const { exchange, routingKey } = call;
    for (let index = 0; index < (call.items ?? 1); index += 1)
      events.emit('message.confirmed', {
        service,
        exchange: exchange.name,
        routingKey,
        messageId: idOf(call, message, index),
        durationMs,
      });
  }

  private failed(call: PublishCall, message: OutgoingMessage, error: Error): Published {
    const name = error instanceof UnroutableError ? 'message.returned' : 'message.rejected';
    for (let index = 0; index < (call.items ?? 1); index += 1)
      this.events.emit(name, { ...this.about(call, message, index), error });
    throw error;
  }

  private about(call: PublishCall, message: OutgoingMessage, index: number): PublishEvent {
    const { exchange, routingKey } = call;
    return {
      service: this.service,
      exchange: exchange.name,
      routingKey,
      messageId: idOf(call, message, index),
    };
  }
}

function idOf(
  { items = 1 }: PublishCall,
  { properties: { messageId } }: OutgoingMessage,
  index: number,
): string | undefined {
  return items === 1 || messageId === undefined ? messageId : packItemId(messageId, index);
}
