/**
 * Time as the bus sees it. There is one clock per transport: the system's for RabbitMQ, one that a test moves
 * for memory. Timeouts and backoff use timers and `monotonic`, so that a change of the wall clock has no effect
 * on them.
 */
export interface Clock {
  /** Wall-clock milliseconds since 1970, for timestamps that leave the process. */
  now(): number;
  /** Milliseconds since an arbitrary moment, never backwards, for measuring. */
  monotonic(): number;
  /** Runs `task` once after `delayMs`, however long; with Infinity it never runs. */
  setTimer(task: () => void, delayMs: number): Timer;
}

export interface Timer {
  cancel(): void;
}

/**
 * Node.js shortens a longer timer to 1 ms, with a warning
 * (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args).
 */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  constructor(private readonly handle: NodeJS.Timeout) {}

  cancel(): void {
    clearTimeout(this.handle);
  }
}

/** A timer longer than Node.js can hold: steps of 24.8 days, and then the rest. */
class LongTimer implements Timer {
  private readonly dueAt: number;
  private handle!: NodeJS.Timeout;

  constructor(
    private readonly task: () => void,
    delayMs: number,
  ) {
    this.dueAt = performance.now() + delayMs;
    this.arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.handle);
  }

  private arm(leftMs: number): void {
    this.handle =
      leftMs > LONGEST_TIMER_MS
        ? setTimeout(() => this.arm(this.dueAt - performance.now()), LONGEST_TIMER_MS)
        : setTimeout(this.task, leftMs);
  }
}

/** The system's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (task, delayMs) =>
    delayMs > LONGEST_TIMER_MS ? new LongTimer(task, delayMs) : new SystemTimer(setTimeout(task, delayMs)),
};

/** Resolves after `delayMs` of `clock`, or rejects with the signal's reason when `signal` aborts. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
