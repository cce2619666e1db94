import { InvalidMessageError } from '../errors.js';
import { callable, durationUpTo, type Fields, objectWith, oneOf, required, text } from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { HEADER } from './headers.js';
import type { Headers } from './properties.js';
import { keyText } from './wire/key-text.js';

/** Time for which a message holds its key, and the fate of other messages with the key. */
export interface UniqueRule {
  /**
   * Time for which a waiting message holds its key, up to 366 days: counted from when it is due, and anew for
   * each attempt. A message that waits longer loses its key. @default '1h'
   */
  for?: Duration;
  /**
   * Moment at which the key is free again: when the message is `done`, handled or dead-lettered, or when its
   * first attempt has `started`. @default 'done'
   */
  until?: 'done' | 'started';
  /**
   * Message that is kept among those with the same key. `first`: the message that holds the key; a send of
   * another throws a {@link NotUniqueError}. `last`: the newest; no send is refused, and an older message is
   * skipped when it is delivered. @default 'first'
   */
  keep?: 'first' | 'last';
}

/** Unique key of the sends of a definition or to a handler. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface UniqueOptions<Payload = any> extends UniqueRule {
  /**
   * Function that returns the key, at most 255 bytes; keys are compared only between messages with the same
   * routing key. Returning no value (undefined, null, an empty string) throws an InvalidMessageError. @default
   * one key for all messages
   */
  by?: (payload: Payload) => string | number | bigint;
}

/** Unique key of one send. */
export interface UniqueSend extends UniqueRule {
  /** The key, at most 255 bytes; keys are compared only between messages with the same routing key. */
  key: string;
}

/** The options with their defaults. */
export interface UniqueSettings {
  /** Undefined if all messages have the same key. */
  readonly by: UniqueOptions['by'];
  readonly forMs: number;
  readonly until: 'done' | 'started';
  readonly keep: 'first' | 'last';
}

const RULE_FIELDS: Fields = {
  for: durationUpTo('366d'),
  until: oneOf('done', 'started'),
  keep: oneOf('first', 'last'),
};

export const uniqueOption = objectWith({ ...RULE_FIELDS, by: callable });
export const uniqueSendOption = objectWith({ ...RULE_FIELDS, key: required(text) });

export function uniqueSettings(options: UniqueOptions | UniqueSend): UniqueSettings {
  const { for: time = '1h', until = 'done', keep = 'first' } = options;
  const by = 'key' in options ? () => options.key : options.by;
  return { by, forMs: toMs(time), until, keep };
}

const KEY_CAP_BYTES = 255;

/** @throws InvalidMessageError for a key that is missing or too long; the error of `by` */
export function uniqueKey({ by }: UniqueSettings, payload: unknown, routingKey: string): string {
  const key = by ? keyText(by(payload), `unique.by of '${routingKey}'`) : '';
  const bytes = Buffer.byteLength(key);
  if (bytes <= KEY_CAP_BYTES) return key;
  throw new InvalidMessageError(
    `expected the unique key of '${routingKey}' to be at most ${KEY_CAP_BYTES} bytes, got ${bytes}`,
    'Take an id, or a digest of what makes it unique.',
  );
}

/** The mark that a unique message carries for its consumer. Its messageId is the holder of the key. */
export interface UniqueMark {
  /** The key under which stores know it. */
  readonly key: string;
  readonly until: 'done' | 'started';
  readonly forMs: number;
  /** With `keep: 'last'`, the message's number in the order of sending; undefined with `first`. */
  readonly number: number | undefined;
}

/** The format is a promise: whoever changes it incompatibly raises `v`. */
const VERSION = 1;

export function encodeUnique({ key, until, forMs, number }: UniqueMark): string {
  return JSON.stringify({ v: VERSION, key, until, for: forMs, number });
}

/**
 * Undefined for a message without the mark, or with an unreadable one: it is handled like any other, and its
 * key expires by itself.
 */
export function uniqueIn(headers: Readonly<Headers>): UniqueMark | undefined {
  const written = headers[HEADER.unique];
  if (typeof written !== 'string') return undefined;
  try {
    const { v, key, until, for: forMs, number } = JSON.parse(written);
    const isKnown = v === VERSION && typeof key === 'string' && (until === 'done' || until === 'started');
    if (!isKnown || !(forMs > 0) || !(number === undefined || Number.isSafeInteger(number))) return undefined;
    return { key, until, forMs: Number(forMs), number };
  } catch {
    return undefined;
  }
}
