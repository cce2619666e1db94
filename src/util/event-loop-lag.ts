/** Between two looks at the loop. A shorter block may go unseen. */
const LOOK_EVERY_MS = 250;

/** Looks that make a window: the figure is the worst of the current and the last one, so of the last 5 to 10 s. */
const LOOKS_IN_WINDOW = 20;

/**
 * Measures how long the event loop was kept from its work, by how late a timer is. Four callbacks a second, some 40 µs of
 * CPU; `perf_hooks.monitorEventLoopDelay` at 20 ms costs fifty times that and a quarter of a megabyte, and its figure
 * can't be had for the last seconds only. Keeps no process alive.
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
