import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { contentTypeInside } from '../../encryption/envelope.js';
import { UnknownKeyError } from '../../encryption/errors.js';
import { InvalidMessageError, MessageTooLargeError, OptionsError } from '../../errors.js';
import type { MessageDefinition } from '../../message/define-message.js';
import { checkHeaders, isBrokerHeader, isOwnHeader } from '../../message/headers.js';
import type { Headers } from '../../message/properties.js';
import { topicMatches } from '../../message/routing/topic.js';
import { PACK_CONTENT_TYPE } from '../../message/wire/pack.js';
import { validate } from '../../serialization/validate.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { sourceOf, withSource } from '../letters/letter-source.js';
import { encodeEdited } from '../letters/marks.js';
import type { FailuresSettings } from '../options.js';
import { boundOf } from '../reading/decrypted.js';

/** What is changed of a message; the rest stays. */
export interface Edit {
  /** The whole body, in plain. @default the old one */
  readonly body?: Buffer;
  /** All headers of the publisher. @default the old ones */
  readonly headers?: Headers;
}

const MOST_BODY = 16 * 1024 * 1024;
const MOST_NAME = 200;

/** @throws OptionsError, InvalidMessageError, MessageTooLargeError */
export function checkEdit({ body, headers }: Edit, by: string): void {
  const problems: string[] = [];
  if (typeof by !== 'string' || by === '' || by.length > MOST_NAME)
    problems.push(`expected by to be a name of at most ${MOST_NAME} characters`);
  if (body === undefined && headers === undefined)
    problems.push('expected another body, other headers, or both');
  if (body !== undefined && !Buffer.isBuffer(body)) problems.push('expected body to be a Buffer');
  for (const name of Object.keys(headers ?? {}))
    if (isOwnHeader(name) || isBrokerHeader(name))
      problems.push(`the header '${name}' is not the publisher's: only Hopline or the broker writes it`);
  if (problems.length > 0) throw new OptionsError('retryEdited', problems);
  if (headers) checkHeaders(headers);
  if (body && body.length > MOST_BODY)
    throw new MessageTooLargeError(
      `the edited body has ${body.length} bytes, the cap is ${MOST_BODY}`,
      'Make it smaller.',
    );
}

/**
 * The letter with its changes, which says who has made them.
 *
 * @throws PayloadInvalidError, InvalidMessageError, UnknownKeyError, KeysUnavailableError, UndecodableError
 */
export async function editedLetter(
  letter: DeadLetter,
  { body, headers = letter.headers }: Edit,
  { by, settings }: { readonly by: string; readonly settings: FailuresSettings },
): Promise<DeadLetter> {
  const { clock } = settings.transport;
  if (body !== undefined) await check(letter, body, settings.messages);
  const was = createHash('sha256').update(letter.body).digest('hex');
  const editedHeader = encodeEdited({ by, at: new Date(clock.now()), was });
  const content = body === undefined ? {} : await sealed(letter, body, settings);
  return withSource({ ...letter, ...content, headers, editedHeader }, sourceOf(letter));
}

async function check(
  letter: DeadLetter,
  body: Buffer,
  messages: readonly MessageDefinition[],
): Promise<void> {
  const { routingKey, properties, encryptedHeader } = letter;
  const { contentEncoding } = properties;
  if (contentEncoding !== undefined && !/^(utf-?8|us-ascii)$/i.test(contentEncoding))
    throw new InvalidMessageError(
      `the body of '${letter.id}' is encoded as '${contentEncoding}', so it can't be edited as text`,
      'Retry it as it is, or export, change and import it.',
    );
  const definition = messages.find(({ key, schema }) => schema && topicMatches(key, routingKey));
  const contentType =
    encryptedHeader === undefined ? properties.contentType : contentTypeInside(encryptedHeader);
  if (contentType === PACK_CONTENT_TYPE || !definition) return;
  await validate(definition, parsed(body, letter));
}

function parsed(body: Buffer, { id }: DeadLetter): unknown {
  try {
    if (isUtf8(body)) return JSON.parse(body.toString());
  } catch {
    // The parser's own message quotes the body, which may hold secrets.
  }
  throw new InvalidMessageError(`the edited body of '${id}' is not valid JSON`, 'Correct it, and try again.');
}

/** A body that was encrypted is so again, with the current key. */
async function sealed(
  letter: DeadLetter,
  body: Buffer,
  { encryption }: FailuresSettings,
): Promise<Pick<DeadLetter, 'body'> & Partial<Pick<DeadLetter, 'encryptedHeader'>>> {
  const { encryptedHeader, encryptedWith } = letter;
  if (encryptedWith === undefined) return { body };
  if (!encryption) throw new UnknownKeyError(encryptedWith);
  const bound = boundOf(letter);
  // Whoever can't read the old one must not replace it.
  const { contentType } = await encryption.open(letter.body, encryptedHeader, bound);
  const { body: ciphertext, header } = await encryption.seal(body, contentType, bound);
  return { body: ciphertext, encryptedHeader: header };
}
