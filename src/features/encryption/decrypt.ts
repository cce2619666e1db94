import type { Encryption, Opened } from '../../encryption/encryption.js';
import {
  type Bound,
  boundTo,
  boundToResult,
  contentTypeInside,
  keyIdIn,
  ownerOf,
} from '../../encryption/envelope.js';
import { UnknownKeyError } from '../../encryption/errors.js';
import { UndecodableError } from '../../errors.js';
import { HEADER } from '../../message/headers.js';
import type { ChainState } from '../../message/wire/chain-header.js';
import type { PlannedHandler } from '../../pipeline/handler.js';
import type { Received } from '../../pipeline/received.js';
import { contentOf, type Work } from '../../pipeline/work.js';
import { after } from '../../util/after.js';

/** A body as its serializer has written it. */
export type Plain = { readonly body: Buffer; readonly contentType: string | undefined };

export const isEncrypted = ({ delivery }: Received): boolean =>
  delivery.properties.headers[HEADER.encrypted] !== undefined;

/** Of its body; of an encrypted one, of what is inside, as far as its header can be read. */
export function contentTypeIn({ delivery }: Received): string | undefined {
  const { contentType, headers } = delivery.properties;
  const header = headers[HEADER.encrypted];
  return header === undefined ? contentType : contentTypeInside(header);
}

/** Whether anything of it is encrypted, or should be. */
export function needsKeys(received: Received, { encrypted }: PlannedHandler): boolean {
  const { chain } = received;
  if (encrypted || isEncrypted(received)) return true;
  return chain !== undefined && (chain as ChainState).sealedResult !== undefined;
}

/**
 * The body, and what the step before has passed on, decrypted; a promise only if a key has to be waited for.
 *
 * @throws UndecodableError for a plain one whose handler takes none, and for what was changed
 * @throws UnknownKeyError, KeysUnavailableError
 */
export function decrypted(
  work: Work,
  { name, encrypted }: PlannedHandler,
  encryption: Encryption | undefined,
): Plain | Promise<Plain> {
  const { chain } = work;
  const { delivery, routingKey, messageId, batch } = work.received;
  const { body, contentType } = contentOf(work);
  const header = delivery.properties.headers[HEADER.encrypted];
  if (header === undefined && encrypted) throw plainRefused(name);
  const plain: Plain | Promise<Plain> =
    header === undefined
      ? { body, contentType }
      : opened(encryption, body, header, boundTo(routingKey, ownerOf(messageId, chain, batch)));
  const sealed = chain?.sealedResult;
  if (!chain || !sealed) return plain;
  const result = opened(encryption, sealed.body, sealed.header, boundToResult(chain.id, chain.number));
  return after(result, ({ body: json }) => {
    work.chain = { ...chain, result: JSON.parse(json.toString()) };
    return plain;
  });
}

/** What a sealed body is. @throws UnknownKeyError for a bus without keys, and the errors of {@link Encryption.open} */
export function opened(
  encryption: Encryption | undefined,
  body: Buffer,
  header: unknown,
  bound: Bound,
): Opened | Promise<Opened> {
  if (encryption) return encryption.open(body, header, bound);
  throw new UnknownKeyError(keyIdIn(header) ?? 'unknown');
}

function plainRefused(handler: string): UndecodableError {
  return new UndecodableError(
    `handler ${handler} takes encrypted messages only, and this one is plain`,
    'Have its publisher encrypt it, or let the handler take plain messages until all publishers do; then replay it.',
  );
}
