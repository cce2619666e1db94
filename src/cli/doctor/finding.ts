/** One thing that doctor has to say. */
export interface Finding {
  /** `error`: messages are stuck or will be lost; `warning`: they may be; `ok`: looked at, and fine; `unknown`: not to be seen from here. */
  readonly severity: 'error' | 'warning' | 'ok' | 'unknown';
  /** Stable, for scripts: `alarms`, `missing`, `consumers` … */
  readonly check: string;
  readonly message: string;
  /** What to do about it. */
  readonly help?: string;
}
