import { flag, positiveDuration } from '../../util/check.js';
import { type Duration, toMs } from '../../util/duration.js';

export interface TimeoutOption {
  /** Maximum run time of one attempt. @default '60s' */
  timeout?: Duration;
  /**
   * Gives the message up on the first timeout, with the reason `timeout`, instead of counting a failed attempt.
   * @default false
   */
  failOnTimeout?: boolean;
}

/** Checks of the options. They are no row in the list of features: every handler has a timeout. */
export const TIMEOUT_FIELDS = { timeout: positiveDuration, failOnTimeout: flag };

/** @param bus default for handlers that set no timeout */
export function timeoutMsOf({ timeout }: TimeoutOption, bus: { readonly timeoutMs: number }): number {
  return timeout === undefined ? bus.timeoutMs : toMs(timeout);
}
