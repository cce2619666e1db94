import { Backoff } from '../../../util/backoff.js';
import { type Clock, pause } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { Logger } from '../../../util/logger.js';
import type { Alert } from '../alert.js';
import { type AlertSink, RefusedAlertsError, TooMuchError } from './sink.js';

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Time for which an alert is tried again. */
  readonly deadlineMs: number;
}

const PAUSES = { firstMs: 1_000, maxMs: 60_000 };

/** An alert that is to be told. */
interface Waiting {
  readonly alert: Alert;
  /** Monotonic milliseconds until which it is tried. */
  readonly until: number;
}

/**
 * Brings alerts to one receiver, in order, whatever becomes of the others. While it can't be reached, what is new of an alert takes
 * the place of what was told of it before.
 */
export class Delivery {
  private waiting = new Map<string, Waiting>();
  private running: Promise<void> | undefined;
  /** Aborted when what waits has one more try. */
  private readonly hurrying = new AbortController();
  private readonly ending = new AbortController();
  private readonly life: Deadline;

  constructor(
    private readonly sink: AlertSink,
    private readonly options: DeliveryOptions,
  ) {
    this.life = new Deadline(options.clock, Number.POSITIVE_INFINITY);
  }

  add(alerts: readonly Alert[]): void {
    const { clock, deadlineMs } = this.options;
    const until = clock.monotonic() + deadlineMs;
    for (const alert of alerts) this.put({ alert, until });
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      // It may have come after the last look at what waits.
      if (this.waiting.size > 0) this.add([]);
    });
  }

  /** Gives what waits one more try at once, and ends, within the time; what is not delivered by then is logged. */
  async end(withinMs: number): Promise<void> {
    this.hurrying.abort();
    const timer = this.options.clock.setTimer(() => {
      this.ending.abort(stopped());
      this.life.end();
    }, withinMs);
    await this.running;
    timer.cancel();
  }

  private put(waiting: Waiting): void {
    this.waiting.delete(waiting.alert.id);
    this.waiting.set(waiting.alert.id, waiting);
  }

  /** Never rejects. */
  private async run(): Promise<void> {
    const pauses = new Backoff(PAUSES);
    while (this.waiting.size > 0) {
      if (await this.deliver()) pauses.reset();
      else await pause(this.options.clock, pauses.next(), this.hurrying.signal).catch(() => {});
    }
  }

  /** @returns false if some are to be tried again; what comes during the pause goes along then */
  private async deliver(): Promise<boolean> {
    const { hurrying, ending, sink } = this;
    const { clock, log } = this.options;
    const isLast = hurrying.signal.aborted;
    const left = this.waiting;
    this.waiting = new Map();
    try {
      await this.tell(
        [...left.values()].map(({ alert }) => alert),
        (alert) => left.delete(alert.id),
      );
      return true;
    } catch (error) {
      const isOver = isLast || ending.signal.aborted || error instanceof RefusedAlertsError;
      const [over, again] = partition(
        [...left.values()],
        ({ until }) => isOver || clock.monotonic() >= until,
      );
      const fields = (of: readonly Waiting[]) => ({
        sink: sink.name,
        alerts: of.map(({ alert }) => alert.id),
        error,
      });
      if (over.length > 0) log.error(fields(over), 'alerts were not delivered');
      if (again.length > 0) log.warn(fields(again), 'alerts could not be delivered; trying again');
      this.takeBack(again);
      return again.length === 0;
    }
  }

  /** Tells them together; in halves where they are too much for one request. */
  private async tell(alerts: readonly Alert[], told: (alert: Alert) => void): Promise<void> {
    try {
      await this.life.race(this.sink.tell(alerts, { signal: this.ending.signal, told }), stopped);
    } catch (error) {
      if (!(error instanceof TooMuchError) || alerts.length < 2) throw error;
      const middle = Math.ceil(alerts.length / 2);
      for (const half of [alerts.slice(0, middle), alerts.slice(middle)]) await this.tell(half, told);
    }
    for (const alert of alerts) told(alert);
  }

  private takeBack(before: readonly Waiting[]): void {
    const newer = this.waiting;
    this.waiting = new Map(before.map((waiting) => [waiting.alert.id, waiting]));
    for (const waiting of newer.values()) this.put(waiting);
  }
}

const stopped = () => new Error('it was stopped');

function partition<T>(all: readonly T[], isFirst: (item: T) => boolean): readonly [T[], T[]] {
  return [all.filter(isFirst), all.filter((item) => !isFirst(item))];
}
