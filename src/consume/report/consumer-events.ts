import type { BusEvents, PauseReason } from '../../events.js';
import type { Emitter } from '../../util/emitter.js';

/** Emits the events of pauses, in which the process takes no messages of a queue for a reason of its own; and of gaps. */
export class ConsumerEvents {
  constructor(
    private readonly service: string,
    private readonly events: Emitter<BusEvents>,
  ) {}

  paused(queue: string, why: PauseReason, error?: unknown): void {
    const { service } = this;
    this.events.emit('consumer.paused', {
      service,
      queue,
      why,
      ...(error === undefined ? {} : { error }),
    });
  }

  resumed(queue: string, why: PauseReason): void {
    this.events.emit('consumer.resumed', { service: this.service, queue, why });
  }

  missed(queue: string, handler: string, since: Date): void {
    this.events.emit('consumer.gap', { service: this.service, queue, handler, since });
  }
}
