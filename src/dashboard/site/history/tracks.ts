import { Ring } from './ring.js';

/*
 * A track writes what looks find, which come when they come, as values at equal steps. Times are wall-clock milliseconds.
 */

/** Longest time between two looks across which what they have found is believed to have been so. */
export const GAP_MS = 20_000;

/** A level, as the length of a queue: each step has what was found last. */
export class LevelTrack {
  private readonly ring: Ring;

  constructor(
    private readonly stepMs: number,
    steps: number,
  ) {
    this.ring = new Ring(steps);
  }

  take(_from: number | undefined, at: number, value: number | undefined): void {
    const step = Math.floor(at / this.stepMs);
    const { last } = this.ring;
    const found = value ?? Number.NaN;
    // A step in which nobody has looked, between two in which somebody has.
    if (last !== undefined && (step - last) * this.stepMs <= GAP_MS)
      for (let each = last + 1; each < step; each += 1) this.ring.set(each, found);
    this.ring.set(step, found);
  }

  at(step: number): number | undefined {
    return this.ring.at(step);
  }
}

/** A rate per second, which holds between two looks: each step has its mean over the time in which it is known. */
export class RateTrack {
  private readonly ring: Ring;
  private step: number | undefined;
  private sum = 0;
  private knownMs = 0;

  constructor(
    private readonly stepMs: number,
    steps: number,
  ) {
    this.ring = new Ring(steps);
  }

  take(from: number | undefined, at: number, value: number | undefined): void {
    const { stepMs } = this;
    const last = Math.floor(at / stepMs);
    if (from !== undefined && value !== undefined && at - from <= GAP_MS)
      for (let step = Math.floor(from / stepMs); step <= last; step += 1) {
        const overlap = Math.min(at, (step + 1) * stepMs) - Math.max(from, step * stepMs);
        if (overlap > 0) this.add(step, value, overlap);
      }
    this.goOn(last);
  }

  /** A step that is not over has the mean of what is known of it. */
  at(step: number): number | undefined {
    return step === this.step ? this.mean : this.ring.at(step);
  }

  private get mean(): number | undefined {
    return this.knownMs >= this.stepMs / 2 ? this.sum / this.knownMs : undefined;
  }

  private add(step: number, value: number, overlapMs: number): void {
    this.goOn(step);
    if (step !== this.step) return;
    this.sum += value * overlapMs;
    this.knownMs += overlapMs;
  }

  /** Ends the steps before this one. */
  private goOn(step: number): void {
    if (this.step !== undefined && step <= this.step) return;
    const { mean } = this;
    if (this.step !== undefined && mean !== undefined) this.ring.set(this.step, mean);
    this.step = step;
    this.sum = 0;
    this.knownMs = 0;
  }
}
