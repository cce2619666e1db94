import { HoplineError } from '../../errors.js';

/** RabbitMQ's management API does not answer, or refuses. Only commands use that API. */
export class ManagementError extends HoplineError {
  readonly code = 'HOPLINE_MANAGEMENT';
}
