/**
 * Time as the bus sees it. One clock per transport: the real one for RabbitMQ, one that a test moves for memory.
 * Timeouts and backoff use timers and `monotonic`, so that a jump of the wall clock moves neither.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970: for timestamps that leave the process. */
  now(): number;
  /** Milliseconds since an arbitrary moment, never backwards: for measuring. */
  monotonic(): number;
  /** Runs `task` once after `delayMs`. */
  setTimer(task: () => void, delayMs: number): Timer;
}

export interface Timer {
  cancel(): void;
}

class SystemTimer implements Timer {
  constructor(private readonly handle: NodeJS.Timeout) {}

  cancel(): void {
    clearTimeout(this.handle);
  }
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (task, delayMs) => new SystemTimer(setTimeout(task, delayMs)),
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
