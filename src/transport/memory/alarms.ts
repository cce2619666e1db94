import type { Clock, Timer } from '../../util/clock.js';

/**
 * Timers that run only while the broker is in use. When it isn't, they keep no process alive; when it is used
 * again, overdue timers run at once.
 */
export class Alarms {
  private readonly all = new Set<Alarm>();
  private awake = false;

  constructor(private readonly clock: Clock) {}

  /** Runs `task` at `dueAt`, a moment of the clock's `monotonic`, or later; never earlier. */
  set(task: () => void, dueAt: number): Alarm {
    const alarm = new Alarm(this.clock, dueAt, () => {
      this.all.delete(alarm);
      task();
    });
    this.all.add(alarm);
    if (this.awake) alarm.arm();
    return alarm;
  }

  cancel(alarm: Alarm): void {
    this.all.delete(alarm);
    alarm.disarm();
  }

  wake(): void {
    this.awake = true;
    const byDueTime = [...this.all].sort((a, b) => a.dueAt - b.dueAt);
    for (const alarm of byDueTime) alarm.arm();
  }

  sleep(): void {
    this.awake = false;
    for (const alarm of this.all) alarm.disarm();
  }
}

export class Alarm {
  private timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    readonly dueAt: number,
    private readonly ring: () => void,
  ) {}

  arm(): void {
    const delayMs = Math.max(0, this.dueAt - this.clock.monotonic());
    this.timer = this.clock.setTimer(() => this.check(), delayMs);
  }

  disarm(): void {
    this.timer?.cancel();
    this.timer = undefined;
  }

  /** Node's timers may fire up to a millisecond early. */
  private check(): void {
    if (this.clock.monotonic() < this.dueAt) this.arm();
    else this.ring();
  }
}
