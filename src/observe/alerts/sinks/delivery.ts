import { Backoff } from '../../../util/backoff.js';
import { type Clock, pause } from '../../../util/clock.js';
import type { Logger } from '../../../util/logger.js';
import type { Alert } from '../alert.js';
import { type AlertSink, RefusedAlertsError } from './sink.js';

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Time for which alerts are tried again. */
  readonly deadlineMs: number;
}

const PAUSES = { firstMs: 1_000, maxMs: 60_000 };

/**
 * Brings alerts to one receiver, in order, whatever becomes of the others. While it can't be reached, what is new of an alert takes
 * the place of what was told of it before.
 */
export class Delivery {
  private waiting = new Map<string, Alert>();
  private running: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(
    private readonly sink: AlertSink,
    private readonly options: DeliveryOptions,
  ) {}

  add(alerts: readonly Alert[]): void {
    for (const alert of alerts) {
      this.waiting.delete(alert.id);
      this.waiting.set(alert.id, alert);
    }
    this.running ??= this.run().finally(() => {
      this.running = undefined;
      // It may have come after the last look at what waits.
      if (this.waiting.size > 0) this.add([]);
    });
  }

  /** Gives what waits one more try, and ends; what is not delivered by then is logged. */
  async end(withinMs: number): Promise<void> {
    const timer = this.options.clock.setTimer(() => this.ending.abort(new Error('it was stopped')), withinMs);
    await this.running;
    timer.cancel();
  }

  private async run(): Promise<void> {
    while (this.waiting.size > 0) await this.deliver();
  }

  /** Never rejects. */
  private async deliver(): Promise<void> {
    const { sink, ending } = this;
    const { clock, log, deadlineMs } = this.options;
    const until = clock.monotonic() + deadlineMs;
    const pauses = new Backoff(PAUSES);
    for (;;) {
      // What has come during the pause goes along.
      const alerts = [...this.waiting.values()];
      this.waiting.clear();
      try {
        await sink.tell(alerts, ending.signal);
        return;
      } catch (error) {
        const isOver = ending.signal.aborted || clock.monotonic() >= until;
        const fields = { sink: sink.name, alerts: alerts.map(({ id }) => id), error };
        if (isOver || error instanceof RefusedAlertsError) {
          log.error(fields, 'alerts were not delivered');
          return;
        }
        log.warn(fields, 'alerts could not be delivered; trying again');
        this.takeBack(alerts);
      }
      await pause(clock, pauses.next(), ending.signal).catch(() => {});
    }
  }

  private takeBack(alerts: readonly Alert[]): void {
    const newer = this.waiting;
    this.waiting = new Map(alerts.map((alert) => [alert.id, alert]));
    for (const alert of newer.values()) {
      this.waiting.delete(alert.id);
      this.waiting.set(alert.id, alert);
    }
  }
}
