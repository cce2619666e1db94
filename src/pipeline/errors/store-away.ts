import type { Logger } from '../../util/logger.js';
import { type Outcome, releaseFor } from '../outcome.js';

/** Delay after which a message comes back about which a store, or a provider of keys, could not be asked. */
const COMES_BACK_MS = 5_000;

/**
 * Outcome of a message about which a store could not be asked: the error is logged as a warning, and the message comes
 * back later without a failed attempt, since it is the store that fails.
 *
 * @param problem what could not be done, as a clause: `no transaction could be begun`
 * @param fields of the log line, besides the error
 */
export function storeAway(
  log: Pick<Logger, 'warn'>,
  error: unknown,
  problem: string,
  fields: object = {},
): Outcome {
  log.warn({ ...fields, error }, `${problem}: the message comes back later`);
  return releaseFor(COMES_BACK_MS);
}
