import type { Clock } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import type { Permit } from './key-line.js';
import type { Permits } from './permits.js';

export interface LeftRunningOptions {
  readonly permits: Pick<Permits, 'renew'>;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'warn'>;
  readonly stopping: { readonly isStopping: boolean };
  /** Milliseconds for which the permit is renewed. */
  readonly forMs: number;
}

const MOST_LOOK_EVERY_MS = 1_000;

/**
 * Keeps the permit of code that goes on though its attempt is over, and gives it back when that returns: nothing else of the key runs
 * beside it. Once the bus stops nobody renews it.
 */
export function keepWhileRunning(
  { permits, clock, log, stopping, forMs }: LeftRunningOptions,
  permit: Permit,
  running: Promise<void>,
): void {
  const everyMs = Math.min(MOST_LOOK_EVERY_MS, forMs / 8);
  const renew = async () => {
    try {
      if (!(await permits.renew(permit, forMs)))
        log.warn(
          { permit: permit.line.name },
          'the permit of code that still runs has ended: another of its key may run beside it',
        );
    } catch (error) {
      log.warn(
        { permit: permit.line.name, error },
        'the permit of code that still runs could not be renewed',
      );
    }
  };
  const look = () => {
    const now = clock.monotonic();
    if (stopping.isStopping || permit.isOver || now >= permit.until) return;
    if (permit.until - now < forMs / 2) void renew();
    timer = clock.setTimer(look, everyMs);
  };
  let timer = clock.setTimer(look, everyMs);
  void running.then(() => {
    timer.cancel();
    void permit.line.ended(permit);
  });
}
