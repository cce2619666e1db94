import type { BusEvents } from '../events.js';
import type { Publisher } from '../message/publisher.js';
import type { Deadline } from '../util/deadline.js';
import type { Emitter } from '../util/emitter.js';
import { AttemptEvents } from './attempt-events.js';
import { ConsumerEvents } from './consumer-events.js';
import type { DispatcherOptions } from './dispatch.js';
import { type RunnerOptions, SubscriptionRunner } from './runner.js';
import type { SettlerOptions } from './settle.js';
import type { Subscription } from './subscription.js';

/** What the parts of a runner need, told once. */
export type RunnersOptions = Omit<RunnerOptions, 'consumerEvents' | 'settler' | 'dispatcher'> &
  Omit<SettlerOptions, 'onHold' | 'onRelease' | 'events'> &
  Omit<DispatcherOptions, 'handlers' | 'settler' | 'events'> & {
    readonly service: string;
    readonly events: Emitter<BusEvents>;
    readonly publisher: Publisher;
  };

/** All subscriptions of a bus, started together and stopped in the same stages. */
export class Runners {
  private readonly all: readonly SubscriptionRunner[];

  constructor(subscriptions: readonly Subscription[], options: RunnersOptions) {
    const { service, events, clock } = options;
    const shared = { ...options, events: new AttemptEvents(service, events, clock) };
    const parts = {
      ...options,
      consumerEvents: new ConsumerEvents(service, events),
      settler: shared,
      dispatcher: shared,
    };
    this.all = subscriptions.map((subscription) => new SubscriptionRunner(subscription, parts));
  }

  async start(): Promise<void> {
    await Promise.all(this.all.map((runner) => runner.start()));
  }

  async stopConsuming(): Promise<void> {
    await Promise.all(this.all.map((runner) => runner.stopConsuming()));
  }

  /** Resolves with the queues whose handlers still run at the deadline. */
  async finish(deadline: Deadline): Promise<string[]> {
    const finished = await Promise.all(this.all.map((runner) => runner.finish(deadline)));
    return this.all.filter((_runner, index) => !finished[index]).map(({ queue }) => queue);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((runner) => runner.close()));
  }

  /** For a start that is given up: one that can't be cancelled is closed all the same. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.all.map((runner) => runner.stopConsuming().then(() => runner.close())));
  }
}
