import { type Check, durationUpTo, integerFrom, objectWith } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

export interface CircuitBreakerOption {
  /** Circuit breaker: pauses the queue while this handler fails too often. @default none */
  circuitBreaker?: CircuitBreakerOptions;
}

/**
 * Circuit breaker of a handler: when its queue is paused because the handler fails too often, and when the
 * queue is tried again.
 */
export interface CircuitBreakerOptions {
  /** Share of attempts that must throw or time out for the breaker to open: above 0 and at most 1. @default 0.5 */
  failures?: number;
  /** Minimum attempts in the window before the breaker may open: an integer, 1 to 10,000. @default 20 */
  attempts?: number;
  /** Length of the window in which attempts count: 100 ms to 1 h. @default '1m' */
  within?: Duration;
  /**
   * Length of the queue's pause before one message is tried: 100 ms to 10 min. It doubles each time that
   * message fails, up to ten times this value. @default '10s'
   */
  pause?: Duration;
}

export type CircuitBreakerSettings = ReturnType<typeof circuitBreakerOption.settings>;

const share: Check = {
  expected: 'a number above 0 and at most 1',
  accepts: (value) => typeof value === 'number' && value > 0 && value <= 1,
};

const atLeast100Ms = (check: Check): Check => ({
  expected: `${check.expected}, from 100ms on`,
  accepts: (value) => check.accepts(value) && toMs(value as Duration) >= 100,
});

export const circuitBreakerOption = {
  check: objectWith({
    failures: share,
    attempts: integerFrom(1, 10_000),
    within: atLeast100Ms(durationUpTo('1h')),
    pause: atLeast100Ms(durationUpTo('10m')),
  }),
  settings: ({ failures = 0.5, attempts = 20, within = '1m', pause = '10s' }: CircuitBreakerOptions) => ({
    failures,
    attempts,
    withinMs: toMs(within),
    pauseMs: toMs(pause),
  }),
};
