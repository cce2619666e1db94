import { OptionsError } from '../../errors.js';
import { having, isPlainObject, problemsOf, show } from '../../util/check.js';
import { type Clock, systemClock } from '../../util/clock.js';
import type { Session, SessionOptions, Transport } from '../transport.js';
import { Broker } from './broker.js';
import { MemorySession } from './session.js';

export interface MemoryOptions {
  /**
   * Clock for expiry, delays and backoff, and for everything of a bus on this transport. The
   * `ManualClock` of `hopline/testing` lets a test skip hours; everything that waits then goes on when the test
   * moves the clock. @default the system's clock
   */
  clock?: Clock;
}

/**
 * A broker inside this process, for tests and demos. It runs the same topology as RabbitMQ, with queue limits,
 * expiry, dead letters and redelivery, and lives as long as the returned object: buses that share it see each
 * other's messages, and a bus that starts after another has stopped finds its messages. Nothing survives the
 * process.
 *
 * @throws OptionsError
 */
export function memory(options: MemoryOptions = {}): Transport {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', { clock: having('a clock', 'now', 'monotonic', 'setTimer') })
    : [`expected the options to be an object, got ${show(options)}`];
  if (problems.length > 0) throw new OptionsError('memory', problems);
  return new MemoryTransport(options.clock ?? systemClock);
}

class MemoryTransport implements Transport {
  readonly kind = 'memory';
  private readonly broker: Broker;

  constructor(readonly clock: Clock) {
    this.broker = new Broker(clock);
  }

  async open(options: SessionOptions): Promise<Session> {
    return new MemorySession(this.broker, options);
  }
}
