import type { BusEvents } from '../events.js';
import { openKnowing } from '../kept/migrations/open-session.js';
import { Deadline } from '../util/deadline.js';
import { Emitter } from '../util/emitter.js';
import { Failures } from './failures.js';
import { type FailuresOptions, failuresSettings } from './options.js';

/** Publishes under way at once if there is no rate. */
const MAX_IN_FLIGHT = 10_000;
const MAX_IN_FLIGHT_BYTES = 64 * 1024 * 1024;

/**
 * Connects to the broker, for reading dead letters and acting on them.
 *
 * @throws OptionsError with all problems at once
 * @throws ConnectError
 */
export async function openFailures(options: FailuresOptions): Promise<Failures> {
  const settings = failuresSettings(options);
  const { transport, names, log, connectDeadlineMs } = settings;
  const events = new Emitter<BusEvents>((event, error) => log.error({ event, error }, 'a listener threw'));
  const limits = { maxInFlight: MAX_IN_FLIGHT, maxInFlightBytes: MAX_IN_FLIGHT_BYTES };
  const { session } = await openKnowing(
    transport,
    { service: 'failures', names, events, log, ...limits },
    new Deadline(transport.clock, connectDeadlineMs),
  );
  return new Failures(settings, session);
}
