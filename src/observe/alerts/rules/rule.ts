import type { Duration } from '../../../util/duration.js';
import type { MeasureName } from './measure-name.js';

/** Urgency of an alert. */
export type Severity = 'warning' | 'critical';

/**
 * A rule as an object. As a text it is the same: `queue_length > 1000 warning, > 5000 critical on orders.* for 1m`. The first rule
 * of a measure that takes a queue holds for it; the default rules come last.
 */
export interface AlertRuleOptions {
  /** What is measured. docs/alerts.md has a table of all. */
  measure: MeasureName;
  /** Pattern of the queues' names, in which `*` stands for any text. @default all queues */
  on?: string;
  /** Limit above which a warning is given, in the measure's unit: a number, a duration such as `'5m'`, a share such as `'5%'`. */
  warning?: number | string;
  /** Limit above which the alert is critical. */
  critical?: number | string;
  /** Time for which a value has to be above a limit, or below it again, to count. @default that of the measure */
  for?: Duration;
  /** Time that is looked back on, for measures that do. @default that of the measure */
  within?: Duration;
  /** Minimum of attempts for a share of them. @default 20 */
  atLeast?: number;
  /** Share of the limit at or below which an alert ends: a value near the limit doesn't make it come and go. @default 0.8 */
  clearAt?: number;
  /** True to have no rule of this measure for these queues. @default false */
  off?: boolean;
}

/** A rule: a text, or an object. */
export type AlertRule = string | AlertRuleOptions;

/** @internal a rule that has been read */
export interface Rule {
  readonly measure: MeasureName;
  /** Pattern of queues; undefined for all. */
  readonly on: string | undefined;
  readonly limits: Readonly<Partial<Record<Severity, number>>>;
  readonly forMs: number;
  readonly withinMs: number;
  readonly atLeast: number;
  readonly clearAt: number;
  /** True if all limits are passed by what has lasted for any time: from one look to the next. @default false */
  readonly whileItLasts?: boolean;
}

/** @internal true if the rule's pattern takes the queue; one without a pattern takes all. */
export const takes = ({ on }: Pick<Rule, 'on'>, queue: string | undefined): boolean =>
  on === undefined || (queue !== undefined && matches(on, queue));

/** @internal true if `text` is of the pattern, in which `*` stands for any text. */
export function matches(pattern: string, text: string): boolean {
  const words = pattern.split('*');
  if (words.length === 1) return pattern === text;
  const [first = '', last = ''] = [words[0], words.at(-1)];
  if (!text.startsWith(first)) return false;
  // Each word at its first place leaves the most for those behind it.
  let at = first.length;
  for (const word of words.slice(1, -1)) {
    const found = text.indexOf(word, at);
    if (found < 0) return false;
    at = found + word.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
