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

  asks(): boolean {
    const { events } = this;
    return (
      events.has('message.confirmed') ||
      events.has('message.published') ||
      events.has('message.returned') ||
      events.has('message.rejected')
    );
  }

  readonly stage: Stage<Sending> = (next) => (call, message) => this.emit(next(call, message), call, message);

  /**
   * Emits the events of one publish.
   *
   * @param confirmed resolves with the confirm of the message, which the transport already has
   * @returns the same result, once the events are emitted
   */
  private async emit(
    confirmed: Promise<Published>,
    call: PublishCall,
    message: OutgoingMessage,
  ): Promise<Published> {
    const startedAt = this.clock.monotonic();
    const { events } = this;
    const each = this.about(call, message);
    for (const about of each) events.emit('message.published', about);
    let published: Published;
    try {
      published = await confirmed;
    } catch (cause) {
      const error = cause as Error;
      const name = error instanceof UnroutableError ? 'message.returned' : 'message.rejected';
      for (const about of each) events.emit(name, { ...about, error });
      throw error;
    }
    const durationMs = this.clock.monotonic() - startedAt;
    for (const about of each) events.emit('message.confirmed', { ...about, durationMs });
    return published;
  }

  private about(
    { exchange, routingKey, items = 1 }: PublishCall,
    { properties: { messageId } }: OutgoingMessage,
  ): PublishEvent[] {
    const { service } = this;
    const idOf = (index: number) =>
      items === 1 || messageId === undefined ? messageId : packItemId(messageId, index);
    return Array.from({ length: items }, (_none, index) => ({
      service,
      exchange: exchange.name,
      routingKey,
      messageId: idOf(index),
    }));
  }
}
