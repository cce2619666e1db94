import { HoplineError } from '../../errors.js';

/** RabbitMQ's management API does not answer, or refuses. Only commands and the dashboard use that API. */
export class ManagementError extends HoplineError {
  readonly code = 'HOPLINE_MANAGEMENT';
}
