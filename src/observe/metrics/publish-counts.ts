import { Cells, Count } from './cells.js';
import { Distribution } from './distribution.js';
import type { ObservedBus } from './observed-bus.js';
import type { Reading } from './reading.js';

/** Counts of one exchange; that of the queues themselves has no name. */
class ExchangeCounts {
  published = 0;
  confirmed = 0;
  returned = 0;
  rejected = 0;
  readonly duration: Distribution;

  constructor(bounds: readonly number[]) {
    this.duration = new Distribution(bounds);
  }
}

/** Counts what a bus publishes, and what becomes of it: batches and the outbox, too. */
export class PublishCounts {
  private readonly exchanges: Cells<ExchangeCounts>;
  private readonly batches = new Cells(() => new Count());
  private relayed = 0;
  private refused = 0;

  constructor(bounds: readonly number[]) {
    this.exchanges = new Cells(() => new ExchangeCounts(bounds));
  }

  /** @returns functions that end it */
  follow(bus: ObservedBus): (() => void)[] {
    const { exchanges, batches } = this;
    return [
      bus.on('message.published', ({ exchange }) => {
        exchanges.of(exchange).published += 1;
      }),
      bus.on('message.confirmed', ({ exchange, durationMs }) => {
        const counts = exchanges.of(exchange);
        counts.confirmed += 1;
        counts.duration.record(durationMs / 1_000);
      }),
      bus.on('message.returned', ({ exchange }) => {
        exchanges.of(exchange).returned += 1;
      }),
      bus.on('message.rejected', ({ exchange }) => {
        exchanges.of(exchange).rejected += 1;
      }),
      ...(['dispatched', 'finished', 'cancelled'] as const).map((state) =>
        bus.on(`batch.${state}`, () => {
          batches.of(state).value += 1;
        }),
      ),
      bus.on('outbox.relayed', ({ published, refused }) => {
        this.relayed += published;
        this.refused += refused;
      }),
    ];
  }

  read(service: string, reading: Reading): void {
    for (const [exchange, counts] of this.exchanges) {
      const labels = { service, exchange };
      reading.add('messages_published_total', labels, counts.published);
      reading.add('messages_confirmed_total', labels, counts.confirmed);
      reading.add('messages_returned_total', labels, counts.returned);
      reading.add('messages_rejected_total', labels, counts.rejected);
      reading.add('publish_duration_seconds', labels, counts.duration);
    }
    for (const [state, { value }] of this.batches) reading.add('batches_total', { service, state }, value);
    reading.add('outbox_relayed_total', { service }, this.relayed);
    reading.add('outbox_refused_total', { service }, this.refused);
  }
}
