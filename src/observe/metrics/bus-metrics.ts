import { Asked } from './asked.js';
import { Cells, Count } from './cells.js';
import { ConnectionsCounts, readConnections } from './connection-counts.js';
import { GapCounts } from './gap-counts.js';
import { type CountingOptions, HandlersCounts } from './handler-counts.js';
import type { BusBacklog, BusStatus, BusWorkload, ObservedBus } from './observed-bus.js';
import { PublishCounts } from './publish-counts.js';
import type { Reading } from './reading.js';
import { RequestCounts } from './request-counts.js';
import { readConsumers, StateReader } from './state.js';

/** Metrics of one bus: what its events have counted, and what it says of itself when it is asked. Knows no exporter. */
export class BusMetrics {
  private readonly handlers: HandlersCounts;
  private readonly publishes: PublishCounts;
  private readonly requests: RequestCounts;
  private readonly connections: ConnectionsCounts;
  private readonly gaps = new GapCounts();
  private readonly state = new StateReader();
  private readonly workload: Asked<BusWorkload>;
  private readonly backlog: Asked<BusBacklog>;
  private readonly errors = new Cells(() => new Count());
  private readonly following: readonly (() => void)[];
  private hasOutbox = true;

  constructor(
    private readonly bus: ObservedBus,
    options: CountingOptions,
  ) {
    this.handlers = new HandlersCounts(options);
    this.publishes = new PublishCounts(options.bounds);
    this.requests = new RequestCounts(options.bounds);
    this.connections = new ConnectionsCounts(bus.health());
    this.workload = new Asked(() => bus.workload());
    this.backlog = new Asked(() => bus.outboxBacklog());
    const counting = [this.handlers, this.publishes, this.requests, this.connections, this.gaps];
    this.following = counting.flatMap((counts) => counts.follow(bus));
  }

  /** Adds all figures. What can't be had is missing, and counted; it never rejects. */
  async read(reading: Reading): Promise<void> {
    const { service } = this.bus;
    let state: string | undefined;
    this.trying('status', () => {
      const status = this.bus.status();
      state = status.state;
      this.readState(status, reading);
    });
    this.handlers.read(service, reading);
    this.publishes.read(service, reading);
    this.requests.read(service, reading);
    this.connections.read(service, reading);
    this.gaps.read(service, reading);
    const isStarted = state === 'started';
    await Promise.all([
      isStarted && this.asking('workload', () => this.readWorkload(reading)),
      isStarted && this.hasOutbox && this.asking('outbox', () => this.readBacklog(reading)),
    ]);
    for (const [source, { value }] of this.errors)
      reading.add('scrape_errors_total', { service, source }, value);
  }

  /** Stops listening to the bus. */
  end(): void {
    for (const end of this.following) end();
  }

  private readState(status: BusStatus, reading: Reading): void {
    const { service } = this.bus;
    const health = this.bus.health();
    this.handlers.expect(status);
    this.gaps.expect(status);
    this.state.read(service, status, reading);
    readConsumers(service, status, health, reading);
    readConnections(service, health, reading);
  }

  private async readWorkload(reading: Reading): Promise<void> {
    const { service } = this.bus;
    const { queues } = await this.workload.answer();
    for (const { queue, ready, consumers } of queues) {
      reading.add('queue_messages', { service, queue }, ready);
      reading.add('queue_consumers', { service, queue }, consumers);
    }
  }

  private async readBacklog(reading: Reading): Promise<void> {
    const { service } = this.bus;
    try {
      const { waiting, lagMs } = await this.backlog.answer();
      reading.add('outbox_messages', { service }, waiting);
      reading.add('outbox_lag_seconds', { service }, lagMs / 1_000);
    } catch (error) {
      // Its stores have no outbox, and never will.
      if ((error as { code?: unknown }).code !== 'HOPLINE_OPTIONS') throw error;
      this.hasOutbox = false;
    }
  }

  private trying(source: string, act: () => void): void {
    try {
      act();
    } catch {
      this.errors.of(source).value += 1;
    }
  }

  private async asking(source: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch {
      this.errors.of(source).value += 1;
    }
  }
}
