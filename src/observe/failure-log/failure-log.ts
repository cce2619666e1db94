import type { BusEvents } from '../../events.js';
import type { Emitter } from '../../util/emitter.js';
import { FAILURE_EVENTS, failuresOf, failureWording } from './failure.js';
import { type SumSettings, Sums } from './sums.js';

/**
 * Logs failures: a listener of the bus's events, without cost for messages that succeed. They are summed for each handler and
 * class of errors ({@link Sums}). Retries and discards are warnings; a dead letter, or a sum that contains one, is an error.
 *
 * Failures are logged when their retry or dead letter is published, which may be later. A message that is
 * delivered again because its channel was lost is logged when it fails again.
 */
export class FailureLog {
  private mutes = 0;
  private readonly sums;

  constructor(events: Emitter<BusEvents>, settings: SumSettings) {
    this.sums = new Sums(failureWording, settings);
    for (const name of FAILURE_EVENTS)
      events.on(name, (event) => {
        if (this.mutes === 0) for (const failure of failuresOf(name, event)) this.sums.add(failure);
      });
    events.on('bus.startFailed', () => this.sums.end());
    events.on('bus.stopped', () => this.sums.end());
  }

  /** Writes nothing until the returned function is called: another listener does. */
  mute(): () => void {
    this.mutes += 1;
    this.sums.end();
    let isOver = false;
    return () => {
      if (!isOver) this.mutes -= 1;
      isOver = true;
    };
  }
}
