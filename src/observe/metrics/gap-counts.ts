import { Cells, Count } from './cells.js';
import type { BusStatus, ObservedBus } from './observed-bus.js';
import type { Reading } from './reading.js';

/** Counts how often processes may have missed messages of which each gets a copy. */
export class GapCounts {
  /** By the queue, which has its name of its handler's. */
  private readonly gaps = new Cells(() => new Count());

  /** @returns functions that end it */
  follow(bus: ObservedBus): (() => void)[] {
    return [
      bus.on('consumer.gap', ({ queue }) => {
        this.gaps.of(queue).value += 1;
      }),
    ];
  }

  /** Adds the queues of a bus, so that each series is there before the first gap is. */
  expect({ slotGroups }: BusStatus): void {
    for (const { lanes } of slotGroups)
      for (const { queue, each } of lanes) if (each === 'process') this.gaps.of(queue);
  }

  read(service: string, reading: Reading): void {
    for (const [queue, { value }] of this.gaps) reading.add('consumer_gaps_total', { service, queue }, value);
  }
}
