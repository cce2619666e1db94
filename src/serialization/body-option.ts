import type { Check } from '../util/check.js';
import { json } from './json.js';
import type { Deserializer } from './serializer.js';
import { text } from './text.js';

/**
 * Format of bodies: JSON; text; bytes, in a Buffer that belongs to the handler; or a deserializer (every
 * serializer is one). Content encodings such as gzip are undone first.
 */
export type BodyOption = 'json' | 'text' | 'bytes' | Deserializer;

/** A copy: a change by the handler must not travel on with the message. */
const bytes: Deserializer = { deserialize: (body) => Buffer.from(body) };

const BY_NAME = { json: json(), text, bytes } as const satisfies Record<string, Deserializer>;

export const bodyOption: Check = {
  expected: "'json', 'text', 'bytes' or an object with deserialize",
  accepts: (value) =>
    typeof value === 'string'
      ? Object.hasOwn(BY_NAME, value)
      : typeof (value as Partial<Deserializer> | null | undefined)?.deserialize === 'function',
};

/** @param option an option that has been checked */
export const deserializerOf = (option: BodyOption): Deserializer =>
  typeof option === 'string' ? BY_NAME[option] : option;
