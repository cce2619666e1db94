import type { Check } from '../util/check.js';
import { json } from './json.js';
import type { Deserializer } from './serializer.js';
import { text } from './text.js';

/**
 * How bodies are read: as JSON; as text; as they are, in a Buffer of the handler's own; or by a deserializer, as any serializer
 * is one. Content encodings are undone before.
 */
export type BodyOption = 'json' | 'text' | 'bytes' | Deserializer;

/** A copy: what a handler does to it must not travel on with the message. */
const bytes: Deserializer = { deserialize: (body) => Buffer.from(body) };

const BY_NAME = { json: json(), text, bytes } as const satisfies Record<string, Deserializer>;

export const bodyOption: Check = {
  expected: "'json', 'text', 'bytes' or an object with deserialize",
  accepts: (value) =>
    typeof value === 'string'
      ? Object.hasOwn(BY_NAME, value)
      : typeof (value as Partial<Deserializer> | null | undefined)?.deserialize === 'function',
};

/** @param option that was accepted */
export const deserializerOf = (option: BodyOption): Deserializer =>
  typeof option === 'string' ? BY_NAME[option] : option;
