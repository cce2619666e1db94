/** Values at equal steps, of which the last ones stay. NaN is a value that is not known. */
export class Ring {
  private readonly values: Float32Array;
  /** Number of the newest step. */
  private newest: number | undefined;

  constructor(private readonly steps: number) {
    this.values = new Float32Array(steps).fill(Number.NaN);
  }

  /** Number of the newest step that has been set. */
  get last(): number | undefined {
    return this.newest;
  }

  /** Steps must not go back: a value of an earlier step than the newest is left out. */
  set(step: number, value: number): void {
    const { newest, steps, values } = this;
    if (newest !== undefined && step < newest) return;
    // What was here before belongs to steps that are too long ago.
    const from = newest === undefined ? step : Math.max(newest + 1, step - steps + 1);
    for (let each = from; each < step; each += 1) values[each % steps] = Number.NaN;
    values[step % steps] = value;
    this.newest = step;
  }

  /** Undefined if it is not known, or no longer. */
  at(step: number): number | undefined {
    const { newest, steps, values } = this;
    if (newest === undefined || step > newest || step <= newest - steps) return undefined;
    const value = values[step % steps] as number;
    return Number.isNaN(value) ? undefined : value;
  }
}
