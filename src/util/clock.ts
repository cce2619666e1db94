/**
 * Time as the bus sees it. One clock per transport: the real one for RabbitMQ, one that a test moves for memory.
 * Timeouts and backoff use timers and `monotonic`, so that a jump of the wall clock moves neither.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970: for timestamps that leave the process. */
  now(): number;
  /** Milliseconds since an arbitrary moment, never backwards: for measuring. */
  monotonic(): number;
  /** Runs `task` once after `delayMs`, however long that is; Infinity never comes. */
  setTimer(task: () => void, delayMs: number): Timer;
}

export interface Timer {
  cancel(): void;
}

/** Node.js makes 1 ms of a longer timer, with a warning (https://nodejs.org/api/timers.html#settimeoutcallback-delay-args). */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

class SystemTimer implements Timer {
  constructor(private readonly handle: NodeJS.Timeout) {}

  cancel(): void {
    clearTimeout(this.handle);
  }
}

/** One that Node.js can't hold at once: 24.8 days after 24.8 days, and then what is left. */
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

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (task, delayMs) =>
    delayMs > LONGEST_TIMER_MS ? new LongTimer(task, delayMs) : new SystemTimer(setTimeout(task, delayMs)),
};

/** Resolves after `delayMs` of `clock`, or rejects with the signal's reason as soon as `signal` aborts. */
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
