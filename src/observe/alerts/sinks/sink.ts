import type { Alert } from '../alert.js';

/** A receiver of alerts. */
export interface AlertSink {
  /** Name for the log, without credentials. */
  readonly name: string;
  /**
   * Tells the receiver of the alerts of one look, together.
   *
   * @throws RefusedAlertsError if it is of no use to try again; any other error, and those are tried again that it was not told of
   */
  tell(alerts: readonly Alert[], telling: Telling): Promise<void>;
}

export interface Telling {
  /** Aborted when nothing waits for the answer any more. */
  readonly signal: AbortSignal;
  /** To be called for an alert that the receiver knows of before it is told of the others. */
  told(alert: Alert): void;
}

/** The receiver does not take the alerts, and won't the next time. */
export class RefusedAlertsError extends Error {}

/** They are too much for one request. */
export class TooMuchError extends RefusedAlertsError {}
