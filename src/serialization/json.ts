import { isUtf8 } from 'node:buffer';
import { InvalidMessageError, UndecodableError } from '../errors.js';
import { reasonText } from '../util/error-text.js';
import type { Serializer } from './serializer.js';

/** `application/json`, `text/json`, `application/vnd.acme.order+json; charset=utf-8`. */
const JSON_TYPE = /^(application|text)\/([\w.+-]+\+)?json\s*(;.*)?$/i;
const OTHER_CHARSET = /charset\s*=\s*(?!"?utf-?8"?\s*(;|$))/i;
const BYTE_ORDER_MARK = '\uFEFF';
const PLAIN_ENCODING = /^(utf-?8|identity)?$/i;

/** Raw JSON, no envelope: any client can read what we write, and we read what any client writes. */
export const json: Serializer = {
  contentType: 'application/json',

  serialize(payload) {
    let text: string | undefined;
    try {
      text = JSON.stringify(payload);
    } catch (error) {
      throw notJson(reasonText(error), error);
    }
    if (text === undefined) throw notJson(`a ${typeof payload} has no JSON form`);
    return Buffer.from(text);
  },

  deserialize(body, contentType, contentEncoding) {
    if (contentType && contentType !== 'application/json') {
      if (!JSON_TYPE.test(contentType))
        throw undecodable(`its content type is '${shorten(contentType)}', not JSON`);
      if (OTHER_CHARSET.test(contentType))
        throw undecodable(`its content type '${shorten(contentType)}' is not UTF-8`);
    }
    if (contentEncoding && !PLAIN_ENCODING.test(contentEncoding)) {
      throw undecodable(`its content encoding is '${shorten(contentEncoding)}'; nothing is inflated`);
    }
    if (body.length === 0) throw undecodable('its body is empty');
    // toString would put replacement characters where the bytes are wrong, and the handler would never know.
    if (!isUtf8(body)) throw undecodable('its body is not valid UTF-8');
    try {
      return JSON.parse(body.toString('utf8'));
    } catch {
      // The parser's own message quotes the body, which may hold what must not be logged.
      throw undecodable(
        body.indexOf(BYTE_ORDER_MARK) === 0
          ? 'its body begins with a byte order mark'
          : 'its body is not valid JSON',
      );
    }
  },
};

function notJson(why: string, cause?: unknown): InvalidMessageError {
  return new InvalidMessageError(`the payload can't be written as JSON: ${why}`, 'Publish plain data.', {
    cause,
  });
}

function undecodable(why: string): UndecodableError {
  return new UndecodableError(
    `the message can't be decoded: ${why}`,
    'Look at the bytes in the dead-letter queue, and mend the publisher.',
  );
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
