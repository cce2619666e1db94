import type { Encryption } from '../../encryption/encryption.js';
import { UndecodableError } from '../../errors.js';
import { decrypted, needsKeys } from '../../features/encryption/decrypt.js';
import { MessageView } from '../../message/received-message.js';
import type { Match } from '../../pipeline/handler.js';
import type { Work } from '../../pipeline/work.js';
import { encodingsOf, undone } from '../../serialization/content-encoding.js';
import type { Deserializer } from '../../serialization/serializer.js';
import { validate } from '../../serialization/validate.js';
import { after, isThenable } from '../../util/after.js';

export interface DecodeOptions {
  /** Deserializer of handlers that set none. */
  readonly serializer: Deserializer;
  readonly encryption: Encryption | undefined;
  readonly maxBodyBytes: number;
}

/**
 * The payload as the handler gets it: decrypted, its encodings undone, deserialized and validated. A promise only if the
 * schema's check or the deserializer's answer is one, if an encoding is undone, or if a key has to be waited for.
 *
 * @throws UndecodableError, PayloadInvalidError, UnknownKeyError, KeysUnavailableError, and what the code of the schema and
 *   the deserializer throws
 */
export function decoded(work: Work, match: Match, options: DecodeOptions): unknown {
  const { received, replaced } = work;
  const { delivery, chain, batch } = received;
  const { maxBodyBytes, encryption } = options;
  // A message handled now would lose the steps, or the batch, that follow it.
  if (chain instanceof UndecodableError) throw chain;
  if (batch instanceof UndecodableError) throw batch;
  const body = replaced?.body ?? delivery.body;
  if (body.length > maxBodyBytes) {
    throw new UndecodableError(
      `the message can't be decoded: its body of ${body.length} bytes is over the cap of ${maxBodyBytes}`,
      'Raise maxBodyBytes, or send a reference instead of the data.',
    );
  }
  if (!needsKeys(received, match.handler))
    return read(work, body, (replaced ?? delivery.properties).contentType, match, options);
  return after(decrypted(work, match.handler, encryption), (plain) =>
    read(work, plain.body, plain.contentType, match, options),
  );
}

/** @param contentType of the body as it is here */
function read(
  { received, replaced }: Work,
  body: Buffer,
  contentType: string | undefined,
  match: Match,
  options: DecodeOptions,
): unknown {
  const { properties } = received.delivery;
  const { contentEncoding } = replaced ?? properties;
  // Compressed messages of kombu have one, too: the charset.
  if (!contentEncoding)
    return deserialized(
      body,
      new MessageView(received, contentType, undefined, replaced?.headers),
      match,
      options,
    );
  const { known, left } = encodingsOf(contentEncoding, properties.headers.compression);
  const message = new MessageView(received, contentType, left, replaced?.headers);
  if (known.length === 0) return deserialized(body, message, match, options);
  return undone(body, known, options.maxBodyBytes).then((inside) =>
    deserialized(inside, message, match, options),
  );
}

function deserialized(
  body: Buffer,
  message: MessageView,
  { handler, definition }: Match,
  { serializer }: DecodeOptions,
): unknown {
  const payload = (handler.body ?? serializer).deserialize(body, message);
  if (definition) return after(payload, (ready) => validate(definition, ready));
  // A promise may be of another realm or library.
  return isThenable(payload) ? Promise.resolve(payload) : payload;
}
