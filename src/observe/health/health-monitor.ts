import type { BusEvents, BusState } from '../../events.js';
import type { Clock } from '../../util/clock.js';
import type { Emitter } from '../../util/emitter.js';
import { EventLoopLag } from '../../util/event-loop-lag.js';
import type { BusHealth, HealthError } from './bus-health.js';
import { isoTime } from './condition.js';
import { ConnectionWatch } from './connection-watch.js';
import { ConsumerWatch } from './consumer-watch.js';
import { healthError } from './health-error.js';
import { judge } from './judge.js';

/** Follows the health of a bus by its events. It sends no request, and answers at once. */
export class HealthMonitor {
  private state: BusState = 'new';
  private since: number;
  private startError: HealthError | undefined;
  private readonly connections: readonly ConnectionWatch[];
  private readonly consumers = new Map<string, ConsumerWatch>();
  private readonly lag = new EventLoopLag();
  private readonly now: () => number;

  constructor(
    private readonly service: string,
    events: Emitter<BusEvents>,
    clock: Clock,
  ) {
    this.now = () => clock.now();
    this.since = this.now();
    this.connections = (['publish', 'consume'] as const).map(
      (role) => new ConnectionWatch(role, events, this.now),
    );
    this.followBus(events);
    this.followConsumers(events);
  }

  /** Costs about 20 µs with ten queues, so a probe may ask as often as it likes. */
  health(): BusHealth {
    const { service, state, since, startError, lag } = this;
    const { worstMs } = lag;
    const isOpen = worstMs !== undefined;
    return judge({
      service,
      state,
      since: isoTime(since),
      ...(startError ? { startError } : {}),
      connections: isOpen ? this.connections.filter(({ isUsed }) => isUsed).map(({ health }) => health) : [],
      consumers: isOpen ? [...this.consumers.values()].map(({ health }) => health) : [],
      ...(isOpen ? { eventLoop: { lagMs: Math.round(worstMs) } } : {}),
    });
  }

  /** See {@link BusHealth.eventLoop}. */
  get lagMs(): number | undefined {
    return this.lag.worstMs;
  }

  private followBus(events: Emitter<BusEvents>): void {
    events.on('bus.starting', () => {
      this.enter('starting');
      for (const connection of this.connections) connection.reset();
      this.startError = undefined;
      this.lag.start();
    });
    events.on('bus.started', () => this.enter('started'));
    events.on('bus.startFailed', ({ error }) => {
      this.close('new');
      this.startError = healthError(error);
    });
    events.on('bus.stopping', () => this.enter('stopping'));
    events.on('bus.stopped', () => this.close('stopped'));
  }

  private followConsumers(events: Emitter<BusEvents>): void {
    events.on('consumer.started', ({ queue }) => this.consumer(queue).restored());
    events.on('consumer.cancelled', ({ queue, reason }) => this.consumer(queue).lost(reason));
    events.on('consumer.lost', ({ queue, error }) => this.consumer(queue).lost(error));
    events.on('consumer.failed', ({ queue, error }) => this.consumer(queue).failed(error));
    events.on('consumer.suspected', ({ queue, error }) => this.consumer(queue).suspected(error));
    events.on('consumer.guilty', ({ queue, error }) => this.consumer(queue).guilty(error));
    events.on('consumer.cleared', ({ queue }) => this.consumer(queue).cleared());
    events.on('consumer.restored', ({ queue }) => this.consumer(queue).restored());
    events.on('consumer.paused', ({ queue, why, error }) => this.consumer(queue).paused(why, error));
    events.on('consumer.resumed', ({ queue, why }) => this.consumers.get(queue)?.resumed(why));
  }

  private consumer(queue: string): ConsumerWatch {
    let watch = this.consumers.get(queue);
    if (!watch) {
      watch = new ConsumerWatch(queue, this.now);
      this.consumers.set(queue, watch);
    }
    return watch;
  }

  private enter(state: BusState): void {
    this.state = state;
    this.since = this.now();
  }

  /** No connection or consumer is left. */
  private close(state: BusState): void {
    this.enter(state);
    this.consumers.clear();
    this.lag.stop();
  }
}
