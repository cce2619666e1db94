/** Between two looks. A block shorter than that may go unseen, and a longer one seem up to that much shorter. */
const LOOK_EVERY_MS = 500;

/** Looks that make a window: the figure is the worst of the current and the last one, so of the last 5 to 10 s. */
const LOOKS_IN_WINDOW = 10;

/**
 * Measures how long the event loop was kept from its work, by how late a timer is: 0.4 ms of CPU a second. Keeps no
 * process alive. (`perf_hooks.monitorEventLoopDelay` sees blocks of 20 ms for 2.5 ms of CPU a second; but a block that has
 * just ended is not in its figure yet when a probe asks, since the loop reads sockets before it runs timers.)
 */
export class EventLoopLag {
  private timer: NodeJS.Timeout | undefined;
  private dueAt = 0;
  private looks = 0;
  private current = 0;
  private last = 0;

  start(): void {
    if (this.timer) return;
    this.looks = this.current = this.last = 0;
    this.dueAt = performance.now() + LOOK_EVERY_MS;
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** The longest that something due had to wait within the last 5 to 10 seconds; undefined unless it is measured. */
  get worstMs(): number | undefined {
    // What asks may run before the timer does that was held up with it.
    return this.timer ? Math.max(this.current, this.last, this.lateBy()) : undefined;
  }

  private look(): void {
    this.current = Math.max(this.current, this.lateBy());
    this.dueAt = performance.now() + LOOK_EVERY_MS;
    this.looks += 1;
    if (this.looks % LOOKS_IN_WINDOW !== 0) return;
    this.last = this.current;
    this.current = 0;
  }

  private lateBy(): number {
    return Math.max(0, performance.now() - this.dueAt);
  }
}
