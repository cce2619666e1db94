import { OptionsError } from '../../errors.js';
import type { Clock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import { AttemptEvents } from '../attempt/attempt-events.js';
import type { DispatcherOptions } from '../attempt/dispatch.js';
import type { Serving } from '../handlers/serving.js';
import type { Handler } from '../handlers/subscription.js';
import { ConsumerEvents } from '../report/consumer-events.js';
import { FiguresOfHandler } from '../report/figures.js';
import type { ConsumingStatus, PlacesStatus } from '../report/status.js';
import { type EndedAttempts, sumOf, type Workload } from '../report/workload.js';
import type { SettlerOptions } from '../settle/settle.js';
import { Runner, type RunnerOptions } from './runner.js';

/** What the parts of a runner need, told once. */
export type RunnersOptions = Omit<RunnerOptions, 'consumerEvents' | 'settler' | 'dispatcher'> &
  Omit<SettlerOptions, 'onHold' | 'onRelease' | 'queueOf' | 'effects' | 'events'> &
  Omit<DispatcherOptions, 'handlers' | 'uniques' | 'stopping' | 'onEnded' | 'events'>;

/** All that a bus serves, started together and stopped in the same stages. */
export class Runners {
  private readonly all: readonly Runner[];
  private readonly figures: ReadonlyMap<Handler, FiguresOfHandler>;
  private readonly clock: Clock;

  constructor(servings: readonly Serving[], options: RunnersOptions) {
    const { service, events, clock } = options;
    this.figures = figuresOf(servings, clock.monotonic());
    this.clock = clock;
    const shared = { ...options, events: new AttemptEvents(service, events, clock, this.figures) };
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
    const all = await Promise.all(this.all.map((runner) => runner.workload(this.endedIn(runner))));
    return sumOf(all);
  }

  /** Fires the signals of all that runs. */
  cancel(): void {
    for (const runner of this.all) runner.cancel();
  }

  /** Fires the signal of a message that runs; says how many of them do. */
  cancelMessage(messageId: string): number {
    return this.all.reduce((sum, runner) => sum + runner.cancelMessage(messageId), 0);
  }

  /** Pauses what is among these, queues or lanes of queues, and lets all else go on. */
  setPaused(paused: ReadonlySet<string>): void {
    for (const runner of this.all) runner.setPaused(paused);
  }

  /** Those of the names in `paused` that keep a queue, or some of its lanes, from being consumed here. */
  pausesOf(queue: string, paused: ReadonlySet<string>): string[] {
    const lanes = this.all.flatMap(({ status }) => status.lanes);
    const its = lanes.filter((lane) => lane.queue === queue || lane.of === queue);
    return [...new Set(its.flatMap((lane) => [lane.of, lane.queue]))].filter((name) => paused.has(name));
  }

  /** Whether it is a queue here, or a lane of one. */
  serves(queue: string): boolean {
    return this.all.some(({ status }) => isAmong(status, queue));
  }

  /**
   * Changes how many messages of a queue run at once, together with those that share its places.
   *
   * @throws OptionsError if a handler's batch would not fit, or if it is a lane: it shares its queue's places
   */
  scale(queue: string, places: number): void {
    const lanes = this.all.flatMap(({ status }) => status.lanes);
    const lane = lanes.find((each) => each.queue === queue && each.of !== queue);
    if (lane)
      throw new OptionsError('scale', [
        `'${queue}' is a lane and shares the places of its queue: scale '${lane.of}'`,
      ]);
    for (const runner of this.all) if (runner.queues.includes(queue)) runner.scale(places);
  }

  get status(): ConsumingStatus {
    const now = this.clock.monotonic();
    return {
      places: this.all.map(({ status }) => status),
      handlers: this.all.flatMap((runner) =>
        runner.handlers.flatMap((handler) => {
          const figures = this.figures.get(handler);
          return figures ? [{ ...figures.read(now), circuit: runner.circuitOf(handler) }] : [];
        }),
      ),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((runner) => runner.close()));
  }

  private endedIn({ handlers }: Runner): EndedAttempts {
    const all = handlers.flatMap((handler) => this.figures.get(handler) ?? []);
    return {
      attempts: all.reduce((sum, { attempts }) => sum + attempts, 0),
      busyMs: all.reduce((sum, { busyMs }) => sum + busyMs, 0),
    };
  }

  /** For a start that is given up: one that can't be cancelled is closed all the same. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.all.map((runner) => runner.abandon()));
  }
}

function figuresOf(servings: readonly Serving[], now: number): Map<Handler, FiguresOfHandler> {
  return new Map(
    servings.flatMap(({ subscriptions }) =>
      subscriptions.flatMap(({ queue, handlers }) =>
        handlers.map((handler) => [handler, new FiguresOfHandler(handler.name, queue, now)] as const),
      ),
    ),
  );
}

const isAmong = ({ queues, lanes }: PlacesStatus, queue: string) =>
  queues.includes(queue) || lanes.some((lane) => lane.queue === queue);
