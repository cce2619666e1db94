import type { Bus } from '../../bus.js';
import { systemClock } from '../../util/clock.js';
import { EventLog } from './event-log.js';
import { type LogEventsOptions, logSettings } from './options.js';

/**
 * Writes the events of a bus as lines of a log, with the fields of {@link LogFields}. Call it before `start()`. Its lines of
 * failures take the place of those that the bus writes itself (`failureLog`), unless none of them would be written.
 *
 * @returns a function that ends it
 * @throws OptionsError with all problems at once
 */
export function logEvents(bus: Bus, options: LogEventsOptions): () => void {
  const settings = logSettings(options);
  const log = new EventLog(bus, settings, systemClock);
  const unmute = log.writesFailures ? bus.muteFailureLog() : () => {};
  return () => {
    log.stop();
    unmute();
  };
}
