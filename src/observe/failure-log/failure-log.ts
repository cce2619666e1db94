import type { BusEvents } from '../../events.js';
import type { Clock, Timer } from '../../util/clock.js';
import type { Emitter } from '../../util/emitter.js';
import type { Logger } from '../../util/logger.js';
import { inRootContext } from '../../util/root-context.js';
import { type Failure, kindOf } from './failure.js';
import { type Line, lineOfOne, Sum } from './sum.js';

export interface FailureLogSettings {
  readonly log: Logger;
  readonly clock: Clock;
  /** Milliseconds between two sums; 0 writes a line for each failure. */
  readonly everyMs: number;
}

/** Limit, since an error's name may be anything, for instance if it was made from another service's JSON. */
const MOST_KINDS = 1_000;

/**
 * Logs failures: a listener of the bus's events, without cost for messages that succeed. For each handler and
 * class of errors, the first failure and the first dead letter are logged at once. Later failures are summed in
 * one line every ten seconds, until ten seconds pass without any. So a handler that fails ten thousand times a
 * second writes a line every ten seconds, and one that fails now and then a line each time. Retries and
 * discards are warnings; a dead letter, or a sum that contains one, is an error.
 *
 * Failures are logged when their retry or dead letter is published, which may be later. A message that is
 * delivered again because its channel was lost is logged when it fails again.
 */
export class FailureLog {
  private readonly sums = new Map<string, Sum>();
  private timer: Timer | undefined;
  private summedAt = 0;

  constructor(
    events: Emitter<BusEvents>,
    private readonly settings: FailureLogSettings,
  ) {
    events.on('message.retried', (event) => this.add({ fate: 'retried', event, error: event.error }));
    events.on('message.discarded', (event) => {
      if (event.error !== undefined) this.add({ fate: 'discarded', event, error: event.error });
    });
    events.on('message.deadLettered', (event) => {
      const { error, failedError } = event;
      this.add({ fate: 'deadLettered', event, error });
      if (failedError !== undefined)
        this.add({ fate: 'deadLettered', event, error: failedError, isAfterwards: true });
    });
    events.on('bus.startFailed', () => this.end());
    events.on('bus.stopped', () => this.end());
  }

  private add(failure: Failure): void {
    if (this.settings.everyMs === 0) {
      this.write(lineOfOne(failure));
      return;
    }
    this.write(this.sumOf(failure).add(failure));
    if (!this.timer) this.sumLater();
  }

  private sumOf(failure: Failure): Sum {
    const own = kindOf(failure);
    const isMixed = this.sums.size >= MOST_KINDS && !this.sums.has(own);
    const kind = isMixed ? 'others' : own;
    let sum = this.sums.get(kind);
    if (!sum) {
      sum = new Sum(isMixed);
      this.sums.set(kind, sum);
    }
    return sum;
  }

  private sumLater(): void {
    const { clock, everyMs } = this.settings;
    this.summedAt = clock.monotonic();
    const sum = () => {
      this.timer = undefined;
      this.writeSums();
      if (this.sums.size > 0) this.sumLater();
    };
    this.timer = inRootContext(() => clock.setTimer(sum, everyMs));
  }

  private writeSums(): void {
    const sinceMs = this.settings.clock.monotonic() - this.summedAt;
    for (const [kind, sum] of this.sums) {
      if (sum.isOver) this.sums.delete(kind);
      else this.write(sum.take(sinceMs));
    }
  }

  /** The counts so far are written before their time. */
  private end(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.writeSums();
    this.sums.clear();
  }

  private write(line: Line | undefined): void {
    if (line) this.settings.log[line.level](line.fields, line.message);
  }
}
