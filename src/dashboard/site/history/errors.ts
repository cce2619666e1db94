import { HoplineError } from '../../../errors.js';

/** Prometheus does not answer, or refuses. Only the dashboard asks it, for history that is longer ago than an hour. */
export class PrometheusError extends HoplineError {
  readonly code = 'HOPLINE_PROMETHEUS';
}
