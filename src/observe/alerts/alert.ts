import type { MeasureName } from './rules/measure-name.js';
import type { Severity } from './rules/rule.js';

/** An alert as its receivers are told of it. Plain data that survives JSON. */
export interface Alert {
  /** Identity, the same from the first notice to the last: the measure and the subject, as `queue_length orders`. */
  readonly id: string;
  readonly measure: MeasureName;
  /** What it is about: a queue, `queue/handler`, `broker`. */
  readonly subject: string;
  /** `reminder`: it still fires. */
  readonly state: 'fired' | 'reminder' | 'resolved';
  readonly severity: Severity;
  /** Last known value, in milliseconds for durations, from 0 to 1 for shares; null in JSON if it has no end. */
  readonly value: number;
  /** Limit that the value was above. */
  readonly limit: number;
  /** A sentence for people. */
  readonly message: string;
  /** Advice. */
  readonly help: string;
  /** Time at which it began; ISO, as all times here. */
  readonly since: string;
  readonly at: string;
}

/** One rule for one subject, at one moment. */
export interface AlertStatus {
  readonly id: string;
  readonly measure: MeasureName;
  readonly subject: string;
  /**
   * `pending`: above a limit, for too short a time; `clearing`: it fires, and is below the limit again for too short a time. `unknown`:
   * there is no value, and nothing fires.
   */
  readonly state: 'ok' | 'pending' | 'firing' | 'clearing' | 'unknown';
  /** Undefined while nothing fires. */
  readonly severity: Severity | undefined;
  /** As in {@link Alert}; undefined if it is not known at the moment. */
  readonly value: number | undefined;
  readonly limits: Readonly<Partial<Record<Severity, number>>>;
  /** A sentence for people. */
  readonly message: string;
  readonly help: string;
  readonly acknowledged: boolean;
  readonly silenced: boolean;
}

/** Alerts that nobody is told of until a time. */
export interface Silence {
  /** Pattern of alerts, in which `*` stands for any text: tried on their ids, subjects and queues. */
  readonly pattern: string;
  readonly until: string;
}
