import type { CircuitBreakerSettings } from './option.js';

/** Parts of the window; the oldest part is forgotten as a whole. */
const PARTS = 10;

/** Longest pause, as a multiple of the first. */
const LONGEST_PAUSE = 10;

interface Part {
  readonly number: number;
  attempts: number;
  failures: number;
}

/** Attempts of one handler within its window, and whether its queue may go on. Pure: the time is an argument. */
export class CircuitBreaker {
  private state: 'closed' | 'open' = 'closed';
  private parts: Part[] = [];
  private pauses = 0;

  constructor(private readonly settings: CircuitBreakerSettings) {}

  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Attempts within the window, and how many of them failed. */
  get counted(): { readonly attempts: number; readonly failures: number } {
    const total = (count: (part: Part) => number) => this.parts.reduce((sum, part) => sum + count(part), 0);
    return { attempts: total(({ attempts }) => attempts), failures: total(({ failures }) => failures) };
  }

  /**
   * Counts an attempt that has ended. While the breaker is open, only the attempt that is tried counts.
   *
   * @param now monotonic milliseconds
   * @returns change of the breaker; undefined if there is none
   */
  ended(isFailure: boolean, now: number): 'opened' | 'opened again' | 'closed' | undefined {
    if (this.state === 'open') {
      if (isFailure) return 'opened again';
      this.reset();
      return 'closed';
    }
    this.count(isFailure, now);
    const { attempts, failures } = this.counted;
    if (attempts < this.settings.attempts || failures / attempts < this.settings.failures) return undefined;
    this.state = 'open';
    return 'opened';
  }

  /** Begins anew, as if nothing had failed. */
  reset(): void {
    this.state = 'closed';
    this.pauses = 0;
    this.parts = [];
  }

  /** Length of the queue's next pause, in milliseconds. */
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
