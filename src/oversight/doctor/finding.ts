/** One finding of doctor. */
export interface Finding {
  /**
   * `error`: messages are stuck or will be lost; `warning`: they may be; `ok`: examined, and fine; `unknown`:
   * could not be examined.
   */
  readonly severity: 'error' | 'warning' | 'ok' | 'unknown';
  /** Name of the check, stable for scripts: `alarms`, `missing`, `consumers` … */
  readonly check: string;
  readonly message: string;
  /** Remedy. */
  readonly help?: string;
}
