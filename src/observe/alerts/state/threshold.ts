/** A limit with hysteresis and a hold time: whether a value is above it, as far as that lasts. */
export class Threshold {
  private on = false;
  /** Monotonic milliseconds since when the value is on the other side. */
  private turnsSince: number | undefined;

  /**
   * @param limit value above which it is on
   * @param clearAt value at or below which it is off again
   * @param forMs time for which a value has to be on the other side
   */
  constructor(
    private readonly limit: number,
    private readonly clearAt: number,
    private readonly forMs: number,
  ) {}

  get isOn(): boolean {
    return this.on;
  }

  /** True while the value is on the other side, and it is not known whether that lasts. */
  get isTurning(): boolean {
    return this.turnsSince !== undefined;
  }

  /** Takes a known value: one that is not known changes nothing, and must not be given. */
  take(value: number, now: number): void {
    const wants = value > (this.on ? this.clearAt : this.limit);
    if (wants === this.on) {
      this.turnsSince = undefined;
      return;
    }
    this.turnsSince ??= now;
    if (now - this.turnsSince < this.forMs) return;
    this.on = wants;
    this.turnsSince = undefined;
  }
}
