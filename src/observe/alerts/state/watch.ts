import type { Reading } from '../measuring/measure.js';
import type { Rule, Severity } from '../rules/rule.js';
import { Threshold } from './threshold.js';

/** The most urgent first. */
const SEVERITIES: readonly Severity[] = ['critical', 'warning'];

/** One rule for one subject: what was measured last, and what follows from it. */
export class Watch {
  private readonly thresholds: readonly (readonly [Severity, Threshold])[];
  /** Last value that was known. */
  lastValue: number | undefined;
  reading: Reading;
  /** Wall-clock milliseconds at which the alert began: the last one, if none fires. */
  since: number | undefined;
  /**
   * What was due to be told last, and when, in monotonic milliseconds; undefined if its receivers know of no alert. They have heard of
   * another severity if it got less while it was acknowledged.
   */
  told: { readonly severity: Severity; readonly heard: Severity; readonly at: number } | undefined;
  /** Severity up to which nobody is to be reminded of it. */
  acknowledged: Severity | undefined;
  /** Monotonic milliseconds since when the subject is missing. */
  missingSince: number | undefined;

  constructor(
    readonly rule: Rule,
    reading: Reading,
  ) {
    this.reading = reading;
    const { limits, clearAt, forMs, whileItLasts } = rule;
    this.thresholds = SEVERITIES.flatMap((severity) => {
      const told = limits[severity];
      const limit = told && whileItLasts ? 0 : told;
      return limit === undefined ? [] : [[severity, new Threshold(limit, limit * clearAt, forMs)] as const];
    });
  }

  get id(): string {
    return `${this.rule.measure} ${this.reading.subject}`;
  }

  /** Undefined while nothing fires. */
  get severity(): Severity | undefined {
    return this.thresholds.find(([, { isOn }]) => isOn)?.[0];
  }

  /** What the value would lead to if it stays. */
  get turning(): 'pending' | 'clearing' | undefined {
    const turning = this.thresholds.filter(([, { isTurning }]) => isTurning);
    if (turning.some(([, { isOn }]) => isOn)) return 'clearing';
    return turning.length > 0 ? 'pending' : undefined;
  }

  /**
   * @param now in monotonic milliseconds
   * @param at the same moment in wall-clock milliseconds
   */
  take(reading: Reading, now: number, at: number): void {
    this.reading = reading;
    this.missingSince = undefined;
    const { value } = reading;
    if (value === undefined) return;
    this.lastValue = value;
    const isNew = this.severity === undefined;
    for (const [, threshold] of this.thresholds) threshold.take(value, now);
    if (isNew && this.severity !== undefined) this.since = at;
    if (this.severity === undefined || (this.severity === 'critical' && this.acknowledged === 'warning'))
      this.acknowledged = undefined;
  }
}
