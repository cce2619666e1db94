import { boundTo, ownerOf } from '../../encryption/envelope.js';
import { UnknownKeyError } from '../../encryption/errors.js';
import { batchOfText } from '../../message/wire/batch-header.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import type { FailuresSettings } from '../options.js';

/** What the body of a letter is bound to where it is encrypted. */
export const boundOf = ({ routingKey, messageId, chain, batchHeader }: DeadLetter) =>
  boundTo(routingKey, ownerOf(messageId, chain, batchOfText(batchHeader)));

/** Plaintext body of a dead letter; of a plain message, its body. @throws UnknownKeyError, KeysUnavailableError, UndecodableError */
export async function decrypted(
  letter: DeadLetter,
  { encryption }: Pick<FailuresSettings, 'encryption'>,
): Promise<Buffer> {
  const { encryptedHeader, encryptedWith } = letter;
  if (encryptedWith === undefined) return letter.body;
  if (!encryption) throw new UnknownKeyError(encryptedWith);
  return (await encryption.open(letter.body, encryptedHeader, boundOf(letter))).body;
}
