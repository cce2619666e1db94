import { InvalidMessageError } from '../errors.js';
import { callable, durationUpTo, type Fields, objectWith, oneOf, required, text } from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { HEADER } from './headers.js';
import { keyText } from './key-text.js';
import type { Headers } from './message.js';

/** How long a key is taken by the message that has it, and what becomes of others. */
export interface UniqueRule {
  /**
   * How long a message may wait, up to 366 days: counted from when it is due, anew for each attempt. Waiting longer, it gives
   * its key up. @default '1h'
   */
  for?: Duration;
  /** The key is free again once the message is `done`, for good or as a dead letter, or when its first attempt has `started`. @default 'done' */
  until?: 'done' | 'started';
  /**
   * Which message stands for all that are sent while the key is taken. `first`: the one that has it, and a send of another is a
   * {@link NotUniqueError}. `last`: the newest; no send is refused, and an older message is skipped when it comes. @default 'first'
   */
  keep?: 'first' | 'last';
}

/** What makes sends of a message unique. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface UniqueOptions<Payload = any> extends UniqueRule {
  /**
   * The key, 255 bytes at most; only messages with the same routing key are compared. Giving none (undefined, null, an empty text)
   * is an InvalidMessageError. @default one key for all of them
   */
  by?: (payload: Payload) => string | number | bigint;
}

/** What makes one send unique. */
export interface UniqueSend extends UniqueRule {
  /** 255 bytes at most; only messages with the same routing key are compared. */
  key: string;
}

/** The options with their defaults. */
export interface UniqueSettings {
  /** Undefined if there is one key for all. */
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

/** @throws InvalidMessageError for a key that is missing or too long, what `by` throws */
export function uniqueKey({ by }: UniqueSettings, payload: unknown, routingKey: string): string {
  const key = by ? keyText(by(payload), `unique.by of '${routingKey}'`) : '';
  const bytes = Buffer.byteLength(key);
  if (bytes <= KEY_CAP_BYTES) return key;
  throw new InvalidMessageError(
    `expected the unique key of '${routingKey}' to be at most ${KEY_CAP_BYTES} bytes, got ${bytes}`,
    'Take an id, or a digest of what makes it unique.',
  );
}

/** What a unique message carries for its consumer. Whose the key is, its messageId says. */
export interface UniqueMark {
  /** As the stores know it. */
  readonly key: string;
  readonly until: 'done' | 'started';
  readonly forMs: number;
  /** Of messages of which the last counts: its place among them. Undefined if the first does. */
  readonly number: number | undefined;
}

/** The format is a promise: `v` is raised by whoever breaks it. */
const VERSION = 1;

export function encodeUnique({ key, until, forMs, number }: UniqueMark): string {
  return JSON.stringify({ v: VERSION, key, until, for: forMs, number });
}

/** Undefined without one, or if it can't be read: the message is handled then as any other, and its key ends by itself. */
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
