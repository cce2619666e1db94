import type { Encryption } from '../encryption/encryption.js';
import { UndecodableError } from '../errors.js';
import type { MessageDefinition } from '../message/define-message.js';
import type { Serializer } from '../serialization/serializer.js';
import { validate } from '../serialization/validate.js';
import { after } from '../util/after.js';
import { decrypted, needsKeys, type Plain } from './decrypt.js';
import type { Received } from './received.js';
import type { Match } from './registry.js';

export interface DecodeOptions {
  readonly serializer: Serializer;
  readonly encryption: Encryption | undefined;
  readonly maxBodyBytes: number;
}

/**
 * The payload as the handler gets it: decrypted, deserialized and validated. A promise only if the schema's check is one, or
 * a key has to be waited for.
 *
 * @throws UndecodableError, PayloadInvalidError, UnknownKeyError, KeysUnavailableError, and what the schema's own code throws
 */
export function decoded(received: Received, { definition, handler }: Match, options: DecodeOptions): unknown {
  const { delivery, chain, batch } = received;
  const { maxBodyBytes, serializer, encryption } = options;
  // Handled now, it would lose what is to come after it.
  if (chain instanceof UndecodableError) throw chain;
  if (batch instanceof UndecodableError) throw batch;
  const { body, properties } = delivery;
  if (body.length > maxBodyBytes) {
    throw new UndecodableError(
      `the message can't be decoded: its body of ${body.length} bytes is over the cap of ${maxBodyBytes}`,
      'Raise maxBodyBytes, or send a reference instead of the data.',
    );
  }
  const { contentType, contentEncoding } = properties;
  if (!needsKeys(received, handler))
    return read({ body, contentType }, contentEncoding, serializer, definition);
  return after(decrypted(received, handler, encryption), (plain) =>
    read(plain, contentEncoding, serializer, definition),
  );
}

function read(
  { body, contentType }: Plain,
  contentEncoding: string | undefined,
  serializer: Serializer,
  definition: MessageDefinition | undefined,
): unknown {
  const payload = serializer.deserialize(body, contentType, contentEncoding);
  return definition ? validate(definition, payload) : payload;
}
