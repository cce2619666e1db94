import { InvalidMessageError } from '../../errors.js';
import { show } from '../../util/check.js';
import { handleRejection } from '../../util/handle-rejection.js';

/**
 * Text of a key that a `by` function returned. A missing value, such as that of a misspelt field, is refused:
 * as an ordinary text it would give all messages the same key.
 *
 * @param whose name of the option, such as `idempotent.by of 'ChargeInvoice'`
 * @throws InvalidMessageError
 */
export function keyText(key: unknown, whose: string): string {
  if ((typeof key === 'string' && key !== '') || typeof key === 'bigint' || Number.isFinite(key))
    return String(key);
  // The answer of an async function is not awaited.
  handleRejection(key);
  throw new InvalidMessageError(
    `expected ${whose} to return a non-empty string, a finite number or a bigint, got ${show(key)}`,
    'Check for a misspelt or missing field; if a message may have no key, return one that is unique to it.',
  );
}
