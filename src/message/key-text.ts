import { InvalidMessageError } from '../errors.js';
import { show } from '../util/check.js';
import { hearRejection } from '../util/hear-rejection.js';

/**
 * What a `by` gives, as text. What a misspelt field gives is refused: as a text like any other it would make all messages one.
 *
 * @param whose as `idempotent.by of 'ChargeInvoice'`
 * @throws InvalidMessageError
 */
export function keyText(key: unknown, whose: string): string {
  if ((typeof key === 'string' && key !== '') || typeof key === 'bigint' || Number.isFinite(key))
    return String(key);
  // Of an async one nobody awaits the answer.
  hearRejection(key);
  throw new InvalidMessageError(
    `expected ${whose} to give a non-empty string, a finite number or a bigint, got ${show(key)}`,
    'Look for a misspelt or missing field; where a message may have none, give it a key that is its own.',
  );
}
