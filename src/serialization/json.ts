import { isUtf8 } from 'node:buffer';
import { InvalidMessageError, OptionsError, type UndecodableError } from '../errors.js';
import type { ReceivedMessage } from '../message/received-message.js';
import { type Fields, flag, isPlainObject, problemsOf } from '../util/check.js';
import { reasonText } from '../util/text/error-text.js';
import { stillEncoded } from './content-encoding.js';
import type { Serializer } from './serializer.js';
import { shorten, undecodable } from './undecodable.js';

export const JSON_CONTENT_TYPE = 'application/json';

/** Matches `application/json`, `text/json`, `application/vnd.acme.order+json; charset=utf-8`. */
const JSON_TYPE = /^(application|text)\/([\w.+-]+\+)?json\s*(;.*)?$/i;
/** Content types that clients write if they know nothing of the body; `application/data` is kombu's for bytes. */
const TYPE_OF_ANYTHING = /^(application\/(octet-stream|data)|text\/plain)\s*(;.*)?$/i;
/** Matches a charset other than UTF-8 and its subset ASCII. */
const OTHER_CHARSET = /charset\s*=\s*(?!"?(utf-?8|us-ascii|ascii)"?\s*(;|$))/i;
const BYTE_ORDER_MARK = '\uFEFF';
/** kombu writes the charset into the content encoding. */
const PLAIN_ENCODING = /^(utf-?8|us-ascii|ascii)?$/i;

const OTHERWISE =
  "Look at the bytes in the dead-letter queue, and fix the publisher; or, if they are intended, set body: 'text' or 'bytes' on the handler or its queue.";

/** Options of {@link json}. */
export interface JsonOptions {
  /**
   * Refuses bodies with a content type other than JSON's. Without it, JSON is also read under a content type
   * that says nothing: `application/octet-stream`, `application/data`, `text/plain`. A body without a content
   * type is always read. @default false
   */
  strict?: boolean;
}

const JSON_FIELDS: Fields = { strict: flag };

/**
 * Serializer for plain JSON without an envelope: other clients can read it, and their JSON is read.
 *
 * @throws OptionsError
 */
export function json(options: JsonOptions = {}): Serializer {
  const problems = isPlainObject(options)
    ? problemsOf(options, '', JSON_FIELDS)
    : ['expected the options to be an object'];
  if (problems.length > 0) throw new OptionsError('json', problems);
  const { strict = false } = options;
  return {
    contentType: JSON_CONTENT_TYPE,
    serialize,
    deserialize(body, message) {
      const { contentType, contentEncoding } = message;
      if (contentType && contentType !== JSON_CONTENT_TYPE) checkType(contentType, strict);
      if (contentEncoding && !PLAIN_ENCODING.test(contentEncoding)) throw stillEncoded(contentEncoding);
      // `toString` alone would replace invalid bytes, and the handler would never know.
      if (isUtf8(body)) {
        try {
          return JSON.parse(body.toString('utf8'));
        } catch {
          // The parser's own message quotes the body, which may hold secrets.
        }
      }
      throw unreadable(body, message);
    },
  };
}

function serialize(payload: unknown): Buffer {
  let text: string | undefined;
  try {
    text = JSON.stringify(payload);
  } catch (error) {
    throw notJson(reasonText(error), error);
  }
  if (text === undefined) throw notJson(`a ${typeof payload} has no JSON form`);
  return Buffer.from(text);
}

/** @throws UndecodableError */
function checkType(contentType: string, strict: boolean): void {
  if (!JSON_TYPE.test(contentType) && (strict || !TYPE_OF_ANYTHING.test(contentType)))
    throw undecodable(`its content type is '${shorten(contentType)}', not JSON`, OTHERWISE);
  if (OTHER_CHARSET.test(contentType))
    throw undecodable(`its content type '${shorten(contentType)}' is not UTF-8`);
}

/** Error that explains why a body is not JSON. */
function unreadable(body: Buffer, message: ReceivedMessage): UndecodableError {
  if (body.length === 0) return undecodable('its body is empty', OTHERWISE);
  if (!isUtf8(body)) return unlikeJson(message, 'its body is not valid UTF-8');
  const hasMark = body.indexOf(BYTE_ORDER_MARK) === 0;
  return unlikeJson(
    message,
    hasMark ? 'its body begins with a byte order mark' : 'its body is not valid JSON',
  );
}

/** RabbitMQ hands out AMQP 1.0's values and sequences in their own encoding. */
function unlikeJson({ type }: ReceivedMessage, why: string): UndecodableError {
  if (type !== 'amqp-1.0') return undecodable(why, OTHERWISE);
  return undecodable(
    'its body is an AMQP 1.0 value, not data',
    "Let its publisher send JSON as a data section; or set body: 'bytes' on the handler or its queue, and decode the value there.",
  );
}

function notJson(why: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`the payload can't be written as JSON: ${why}`, 'Publish plain data.', {
    cause,
  });
}
