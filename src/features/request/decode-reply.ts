import type { Encryption } from '../../encryption/encryption.js';
import { boundToReply } from '../../encryption/envelope.js';
import { ResponderError, UndecodableError } from '../../errors.js';
import { HEADER } from '../../message/headers.js';
import { MessageView } from '../../message/received-message.js';
import type { RequestDefinition } from '../../message/requests/define-request.js';
import { decodeFailure, isFailure } from '../../message/wire/reply.js';
import { encodingsOf, undone } from '../../serialization/content-encoding.js';
import type { Deserializer } from '../../serialization/serializer.js';
import { validate } from '../../serialization/validate.js';
import type { HeardReply } from '../../transport/requests.js';
import { after } from '../../util/after.js';
import { opened, type Plain } from '../encryption/decrypt.js';

export interface DecodeReplyOptions {
  readonly serializer: Deserializer;
  readonly encryption: Encryption | undefined;
  readonly maxBodyBytes: number;
}

/** What a reply is read by. */
export interface Asked {
  readonly id: string;
  readonly definition: RequestDefinition;
  readonly routingKey: string;
  readonly exchange: string;
}

/**
 * What the responder returned: decrypted, its encodings undone, deserialized and validated. A promise only if a key, an encoding, the
 * deserializer or the schema's check has to be waited for.
 *
 * @throws ResponderError if it says that the responder has failed
 * @throws UndecodableError, PayloadInvalidError, UnknownKeyError, KeysUnavailableError, and what the code of the schema and
 *   the deserializer throws
 */
export function decodeReply(reply: HeardReply, asked: Asked, options: DecodeReplyOptions): unknown {
  mustFit(reply.body, options.maxBodyBytes);
  const { headers } = reply.properties;
  const header = headers[HEADER.encrypted];
  if (header !== undefined) {
    const bound = boundToReply(asked.id, asked.routingKey);
    const sealed = opened(options.encryption, reply.body, header, bound);
    return after(sealed, (plain) => read(reply, plain, asked, options));
  }
  // A responder without the key must be able to say so.
  if (asked.definition.encrypted && !isFailure(reply.properties)) throw plainRefused(asked.routingKey);
  return read(reply, { body: reply.body, contentType: reply.properties.contentType }, asked, options);
}

function read(reply: HeardReply, plain: Plain, asked: Asked, options: DecodeReplyOptions): unknown {
  const { contentEncoding, headers } = reply.properties;
  if (!contentEncoding) return returned(reply, plain, undefined, asked, options);
  const { known, left } = encodingsOf(contentEncoding, headers.compression);
  if (known.length === 0) return returned(reply, plain, left, asked, options);
  return undone(plain.body, known, options.maxBodyBytes).then((body) =>
    returned(reply, { body, contentType: plain.contentType }, left, asked, options),
  );
}

function returned(
  { properties }: HeardReply,
  { body, contentType }: Plain,
  contentEncoding: string | undefined,
  { definition, routingKey, exchange }: Asked,
  { serializer }: DecodeReplyOptions,
): unknown {
  if (isFailure(properties)) throw new ResponderError(routingKey, decodeFailure(body, properties.appId));
  const source = {
    delivery: { properties, queue: '' },
    messageId: properties.messageId,
    routingKey,
    exchange,
  };
  // Other clients say nothing by an empty body; what Hopline replies then is JSON's null.
  const isNothing = body.length === 0 && contentType === undefined;
  const value = isNothing
    ? null
    : serializer.deserialize(body, new MessageView(source, contentType, contentEncoding));
  return after(value, (ready) => validate(definition.reply, ready));
}

function mustFit({ length }: Buffer, maxBodyBytes: number): void {
  if (length <= maxBodyBytes) return;
  throw new UndecodableError(
    `the reply can't be decoded: its body of ${length} bytes is over the cap of ${maxBodyBytes}`,
    'Raise maxBodyBytes, or let the responder send a reference instead of the data.',
  );
}

const plainRefused = (routingKey: string) =>
  new UndecodableError(
    `the request '${routingKey}' takes encrypted replies only, and this one is plain`,
    'Let the responder encrypt it: with the same definition and the keys of this service it does.',
  );
