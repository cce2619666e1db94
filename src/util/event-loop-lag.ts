import { inRootContext } from './root-context.js';

export interface EventLoopLagOptions {
  /**
   * Interval of the measurement: a shorter block may go unseen, and a longer one seem up to that much shorter.
   * @default 500
   */
  readonly lookEveryMs?: number;
  /** Measurements in a window. @default 10 */
  readonly looksInWindow?: number;
}

/**
 * Measures how long the event loop is blocked, by how late a timer is: 0.4 ms of CPU per second. Keeps no
 * process alive. (`perf_hooks.monitorEventLoopDelay` sees blocks of 20 ms for 2.5 ms of CPU per second; but a
 * block that has just ended is not in its figure yet when a probe asks, since the loop reads sockets before it
 * runs timers.)
 */
export class EventLoopLag {
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;
  private looks = 0;
  private current = 0;
  private last = 0;
  private readonly lookEveryMs: number;
  private readonly looksInWindow: number;

  constructor({ lookEveryMs = 500, looksInWindow = 10 }: EventLoopLagOptions = {}) {
    this.lookEveryMs = lookEveryMs;
    this.looksInWindow = looksInWindow;
  }

  start(): void {
    if (this.timer) return;
    this.looks = this.current = this.last = 0;
    this.dueAt = performance.now() + this.lookEveryMs;
    this.timer = inRootContext(() => setInterval(() => this.look(), this.lookEveryMs).unref());
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /**
   * Longest delay in this window and the previous one: the last 5 to 10 s by default. Undefined while it isn't
   * measured.
   */
  get worstMs(): number | undefined {
    // The caller may run before the timer that the block has delayed.
    return this.timer ? Math.max(this.current, this.last, this.lateBy()) : undefined;
  }

  private look(): void {
    this.current = Math.max(this.current, this.lateBy());
    this.dueAt = performance.now() + this.lookEveryMs;
    this.looks += 1;
    if (this.looks % this.looksInWindow !== 0) return;
    this.last = this.current;
    this.current = 0;
  }

  private lateBy(): number {
    return Math.max(0, performance.now() - this.dueAt);
  }
}
