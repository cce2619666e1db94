import type { StopOptions } from '../bus/stop-options.js';
import type { CrashWatch } from '../consume/attempt/crash-watch.js';
import type { ServeOptions } from '../consume/handlers/serve-options.js';
import { unknownNames } from '../consume/handlers/serving.js';
import { type EndedAttempts, sumOf, type Workload } from '../consume/report/workload.js';
import { OptionsError } from '../errors.js';
import { Isolation } from './isolation.js';
import { limitReached } from './limits.js';
import type { FromWorker, MetricsRequest, Settings, ToWorker, WorkerSettings } from './protocol.js';

/** The part of a bus that a worker needs. The application's bus may come from another copy of the package. */
export interface WorkerBus {
  describe(): { readonly service: string; readonly queues: readonly { readonly name: string }[] };
  start(serve?: ServeOptions): Promise<void>;
  stop(options?: StopOptions): Promise<void>;
  workload(): Promise<Workload>;
  on(event: 'handler.started', listener: () => void): unknown;
  on(event: 'control.restart', listener: () => void): unknown;
  watchCrashes?(watch: CrashWatch): void;
}

/** Sends a message to the supervisor; `sent` is called when this process's end can't lose it any more. */
export type Send = (message: FromWorker, sent?: () => void) => void;

/** Interval of checks of limits and queues. */
const LOOK_EVERY_MS = 500;

/**
 * Checks in a row that must find nothing before a worker that is to end when its queues are empty does so:
 * messages published by the last handler need time to arrive.
 */
const EMPTY_LOOKS = 2;

/** A worker process: runs its buses until it is ordered to stop, has reached a limit, or has no messages left. */
export class Worker {
  /** Attempts that have begun. */
  private jobs = 0;
  /** Ended attempts of each slot group at the last report of the load. */
  private reported: readonly EndedAttempts[] = [];
  /** Buses that it has started. */
  private serving: readonly WorkerBus[] = [];
  /** Service of those buses, if it is the same one. */
  private service: string | undefined;
  private startedAt = 0;
  private emptyLooks = 0;
  private isRetiring = false;
  private looking: NodeJS.Timeout | undefined;
  private isStopping = false;
  /** Error of a stop that left work behind. */
  private failed: unknown;
  private end!: () => void;
  private readonly isolation: Isolation;
  private readonly stopped = new Promise<void>((resolve) => {
    this.end = resolve;
  });

  constructor(
    private readonly buses: readonly WorkerBus[],
    private readonly settings: WorkerSettings,
    private readonly send: Send,
  ) {
    this.isolation = new Isolation(send);
  }

  /**
   * Resolves when it has stopped.
   *
   * @throws the errors of `bus.start()`; StopDeadlineError if work had to be left behind
   */
  async run(): Promise<void> {
    const served = servedBy(this.buses, this.settings);
    this.serving = [...served.keys()];
    this.service = serviceOf(this.serving);
    for (const bus of this.serving) {
      this.listenTo(bus);
      bus.watchCrashes?.(this.isolation);
    }
    const starting = [...served].map(([bus, serve]) => bus.start(serve));
    const started = await Promise.allSettled(starting);
    const failure = started.find((each) => each.status === 'rejected');
    // A stop that was ordered during the start is no failure.
    if (failure && !this.isStopping) {
      await this.stopAll({});
      throw failure.reason;
    }
    if (!this.isStopping) this.ready();
    await this.stopped;
    if (this.failed) throw this.failed;
  }

  receive(message: Exclude<ToWorker, MetricsRequest | Settings>): void {
    if (message === 'stop') this.stop({});
    else if (message === 'cancel') this.stop({ cancel: true });
    else this.isolation.answer(message);
  }

  /** Each listened event costs time per message: only the necessary ones are. */
  private listenTo(bus: WorkerBus): void {
    bus.on('control.restart', () => this.send({ kind: 'restart' }));
    if (this.settings.limits.maxJobs === undefined) return;
    bus.on('handler.started', () => {
      this.jobs += 1;
    });
  }

  private ready(): void {
    this.startedAt = performance.now();
    this.send({ kind: 'ready' });
    this.lookLater();
  }

  private stop(options: StopOptions): void {
    this.isStopping = true;
    clearTimeout(this.looking);
    void this.stopAll(options).then(this.end);
  }

  private async stopAll(options: StopOptions): Promise<void> {
    const deadline = this.settings.stopTimeoutMs;
    const stopped = await Promise.allSettled(this.buses.map((bus) => bus.stop({ deadline, ...options })));
    for (const each of stopped) if (each.status === 'rejected') this.failed ??= each.reason;
  }

  private lookLater(): void {
    this.looking = setTimeout(async () => {
      this.lookAtLimits();
      if (this.settings.stopWhenEmpty || this.settings.reportsLoad) await this.lookAtQueues();
      if (!this.isStopping) this.lookLater();
    }, LOOK_EVERY_MS);
  }

  private lookAtLimits(): void {
    if (this.isRetiring) return;
    const reason = limitReached(this.settings.limits, {
      jobs: this.jobs,
      aliveMs: performance.now() - this.startedAt,
      memory: process.memoryUsage.rss(),
    });
    if (reason === undefined) return;
    this.isRetiring = true;
    this.send({ kind: 'retiring', reason });
  }

  private async lookAtQueues(): Promise<void> {
    let workload: Workload;
    try {
      workload = sumOf(await Promise.all(this.serving.map((bus) => bus.workload())));
    } catch {
      // The broker does not answer at the moment, which says nothing about its queues.
      this.emptyLooks = 0;
      return;
    }
    if (this.isStopping) return;
    if (this.settings.reportsLoad) this.sendLoad(workload);
    if (this.settings.stopWhenEmpty) this.endIfEmpty(workload);
  }

  private sendLoad({ slotGroups }: Workload): void {
    const before = this.reported;
    const load = slotGroups.flatMap(({ queues, ready, waiting, slots, attempts, busyMs }, index) => {
      const ended = attempts - (before[index]?.attempts ?? 0);
      const busy = busyMs - (before[index]?.busyMs ?? 0);
      return ready === undefined ? [] : [{ queues, ready, waiting, slots, ended, busyMs: busy }];
    });
    // A load of which a part is not known is not known.
    if (load.length < slotGroups.length) return;
    // The order is the same each time.
    this.reported = slotGroups;
    this.send({ kind: 'load', service: this.service, slotGroups: load });
  }

  private endIfEmpty(workload: Workload): void {
    this.emptyLooks = isEmpty(workload) ? this.emptyLooks + 1 : 0;
    if (this.emptyLooks < EMPTY_LOOKS) return;
    this.send({ kind: 'empty' });
    this.stop({});
  }
}

function serviceOf(buses: readonly WorkerBus[]): string | undefined {
  const services = new Set(buses.map((bus) => bus.describe().service));
  return services.size === 1 ? [...services][0] : undefined;
}

function isEmpty({ queues, running, waiting }: Workload): boolean {
  return running === 0 && waiting === 0 && queues.every(({ ready }) => ready === 0);
}

/**
 * Buses to start, with their queues; all queues without a list.
 *
 * @throws OptionsError for a queue that none of them has
 */
function servedBy(
  buses: readonly WorkerBus[],
  { queues, lanes, concurrency, retry, timeoutMs }: WorkerSettings,
): Map<WorkerBus, ServeOptions> {
  // Only options that are asked for: the application's copy of the package may be an older one.
  const more: ServeOptions = {
    ...(lanes && { lanes }),
    ...(concurrency !== undefined && { concurrency }),
    ...(retry && { retry }),
    ...(timeoutMs !== undefined && { timeout: timeoutMs }),
  };
  if (!queues) return new Map(buses.map((bus) => [bus, more]));
  const namesOf = new Map(buses.map((bus) => [bus, bus.describe().queues.map(({ name }) => name)]));
  const problems = unknownNames('queue', queues, [...namesOf.values()].flat());
  if (problems.length > 0) throw new OptionsError('queues', problems);
  const served = new Map<WorkerBus, ServeOptions>();
  for (const [bus, names] of namesOf) {
    const chosen = queues.filter((queue) => names.includes(queue));
    if (chosen.length > 0) served.set(bus, { ...more, queues: chosen });
  }
  return served;
}
