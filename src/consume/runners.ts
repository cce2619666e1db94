import type { Deadline } from '../util/deadline.js';
import { AttemptEvents } from './attempt-events.js';
import { ConsumerEvents } from './consumer-events.js';
import type { DispatcherOptions } from './dispatch.js';
import { Runner, type RunnerOptions } from './runner.js';
import type { Serving } from './serving.js';
import type { SettlerOptions } from './settle.js';
import { sumOf, type Workload } from './workload.js';

/** What the parts of a runner need, told once. */
export type RunnersOptions = Omit<RunnerOptions, 'consumerEvents' | 'settler' | 'dispatcher'> &
  Omit<SettlerOptions, 'onHold' | 'onRelease' | 'events'> &
  Omit<DispatcherOptions, 'handlers' | 'settler' | 'stopping' | 'onEnded' | 'events'>;

/** All that a bus serves, started together and stopped in the same stages. */
export class Runners {
  private readonly all: readonly Runner[];

  constructor(servings: readonly Serving[], options: RunnersOptions) {
    const { service, events, clock } = options;
    const shared = { ...options, events: new AttemptEvents(service, events, clock) };
    const parts = {
      ...options,
      consumerEvents: new ConsumerEvents(service, events),
      settler: shared,
      dispatcher: shared,
    };
    this.all = servings.map((serving) => new Runner(serving, parts));
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
    return this.all.filter((_runner, index) => !finished[index]).flatMap(({ queues }) => queues);
  }

  /** @throws ConnectError if the broker can't be asked now */
  async workload(): Promise<Workload> {
    const all = await Promise.all(this.all.map((runner) => runner.workload()));
    return sumOf(all);
  }

  /** Fires the signals of all that runs. */
  cancel(): void {
    for (const runner of this.all) runner.cancel();
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((runner) => runner.close()));
  }

  /** For a start that is given up: one that can't be cancelled is closed all the same. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.all.map((runner) => runner.stopConsuming().then(() => runner.close())));
  }
}
