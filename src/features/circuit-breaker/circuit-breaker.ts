import { type Check, durationUpTo, integerFrom, objectWith } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

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

export interface CircuitBreakerSettings {
  readonly failures: number;
  readonly attempts: number;
  readonly withinMs: number;
  readonly pauseMs: number;
}

const DEFAULTS = { failures: 0.5, attempts: 20, within: '1m', pause: '10s' } as const;

const share: Check = {
  expected: 'a number above 0 and at most 1',
  accepts: (value) => typeof value === 'number' && value > 0 && value <= 1,
};

const atLeast100Ms = (check: Check): Check => ({
  expected: `${check.expected}, from 100ms on`,
  accepts: (value) => check.accepts(value) && toMs(value as Duration) >= 100,
});

export const circuitBreakerOption = objectWith({
  failures: share,
  attempts: integerFrom(1, 10_000),
  within: atLeast100Ms(durationUpTo('1h')),
  pause: atLeast100Ms(durationUpTo('10m')),
});

export function circuitBreakerSettings(options: CircuitBreakerOptions): CircuitBreakerSettings {
  const { failures, attempts, within, pause } = { ...DEFAULTS, ...options };
  return { failures, attempts, withinMs: toMs(within), pauseMs: toMs(pause) };
}

/** The time is cut into so many parts, of which the oldest is forgotten at once. */
const PARTS = 10;

/** How often the pause may grow. */
const LONGEST_PAUSE = 10;

interface Part {
  readonly number: number;
  attempts: number;
  failures: number;
}

/** What is known of one handler's attempts, and whether its queue may go on. Pure: it is told the time. */
export class CircuitBreaker {
  private state: 'closed' | 'open' = 'closed';
  private parts: Part[] = [];
  private pauses = 0;

  constructor(private readonly settings: CircuitBreakerSettings) {}

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Attempts of its time, and how many of them failed. */
  get counted(): { readonly attempts: number; readonly failures: number } {
    const total = (count: (part: Part) => number) => this.parts.reduce((sum, part) => sum + count(part), 0);
    return { attempts: total(({ attempts }) => attempts), failures: total(({ failures }) => failures) };
  }

  /**
   * An attempt has ended. While it is open only the one that was tried is told.
   *
   * @param now monotonic milliseconds
   * @returns what changes by it
   */
  ended(isFailure: boolean, now: number): 'opened' | 'opened again' | 'closed' | undefined {
    if (this.state === 'open') {
      if (isFailure) return 'opened again';
      this.state = 'closed';
      this.pauses = 0;
      this.parts = [];
      return 'closed';
    }
    this.count(isFailure, now);
    const { attempts, failures } = this.counted;
    if (attempts < this.settings.attempts || failures / attempts < this.settings.failures) return undefined;
    this.state = 'open';
    return 'opened';
  }

  /** How long the queue is to be paused now. */
  nextPauseMs(): number {
    const { pauseMs } = this.settings;
    const grown = Math.min(pauseMs * 2 ** this.pauses, pauseMs * LONGEST_PAUSE);
    this.pauses += 1;
    return grown;
  }

  private count(isFailure: boolean, now: number): void {
    const number = Math.floor((now * PARTS) / this.settings.withinMs);
    this.parts = this.parts.filter((part) => part.number > number - PARTS);
    let part = this.parts.at(-1);
    if (part?.number !== number) {
      part = { number, attempts: 0, failures: 0 };
      this.parts.push(part);
    }
    part.attempts += 1;
    if (isFailure) part.failures += 1;
  }
}
