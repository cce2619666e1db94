import type { Alert } from '../alert.js';

/** A receiver of alerts. */
export interface AlertSink {
  /** Name for the log, without credentials. */
  readonly name: string;
  /**
   * Tells the receiver of the alerts of one look, together.
   *
   * @throws RefusedAlertsError if it is of no use to try again; any other error, and it is tried again
   */
  tell(alerts: readonly Alert[], signal: AbortSignal): Promise<void>;
}

/** The receiver does not take the alerts, and won't the next time. */
export class RefusedAlertsError extends Error {}
