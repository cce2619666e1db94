import { Cells } from './cells.js';
import { Distribution } from './distribution.js';
import type { ObservedBus } from './observed-bus.js';
import type { Reading } from './reading.js';

/** Counts of the requests of one exchange. */
class ExchangeRequests {
  replied = 0;
  failed = 0;
  readonly duration: Distribution;

  constructor(bounds: readonly number[]) {
    this.duration = new Distribution(bounds);
  }
}

/** Counts what a bus asks, and what becomes of it. */
export class RequestCounts {
  private readonly exchanges: Cells<ExchangeRequests>;
  private dropped = 0;

  constructor(bounds: readonly number[]) {
    this.exchanges = new Cells(() => new ExchangeRequests(bounds));
  }

  /** @returns functions that end it */
  follow(bus: ObservedBus): (() => void)[] {
    const { exchanges } = this;
    return [
      bus.on('request.replied', ({ exchange, durationMs }) => {
        const counts = exchanges.of(exchange);
        counts.replied += 1;
        counts.duration.record(durationMs / 1_000);
      }),
      bus.on('request.failed', ({ exchange }) => {
        exchanges.of(exchange).failed += 1;
      }),
      bus.on('reply.dropped', () => {
        this.dropped += 1;
      }),
    ];
  }

  read(service: string, reading: Reading): void {
    for (const [exchange, { replied, failed, duration }] of this.exchanges) {
      reading.add('requests_total', { service, exchange, result: 'replied' }, replied);
      reading.add('requests_total', { service, exchange, result: 'failed' }, failed);
      reading.add('request_duration_seconds', { service, exchange }, duration);
    }
    reading.add('replies_dropped_total', { service }, this.dropped);
  }
}
