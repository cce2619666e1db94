import type { StandardSchemaV1 } from '@standard-schema/spec';
import { PayloadInvalidError } from '../errors.js';
import type { MessageDefinition } from '../message/define-message.js';

/**
 * Payload as the definition's schema returns it; a promise only if the schema's check is async.
 *
 * @throws PayloadInvalidError with the path of each finding, without values
 */
export function validate(definition: MessageDefinition, payload: unknown): unknown | Promise<unknown> {
  if (!definition.schema) return payload;
  const result = definition.schema['~standard'].validate(payload);
  return result instanceof Promise
    ? result.then((late) => unwrap(definition, payload, late))
    : unwrap(definition, payload, result);
}

function unwrap(
  definition: MessageDefinition,
  payload: unknown,
  result: StandardSchemaV1.Result<unknown>,
): unknown {
  if (!result.issues) return result.value;
  const findings = result.issues.map(({ path = [], message }) => {
    const keys = path.map((part) => (typeof part === 'object' ? part.key : part));
    return { path: keys.map(String).join('.'), message: withoutValue(message, valueAt(payload, keys)) };
  });
  throw new PayloadInvalidError(definition.key, findings);
}

function valueAt(payload: unknown, keys: readonly PropertyKey[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | null | undefined)?.[key],
    payload,
  );
}

/**
 * Removes the refused value from a message: some libraries, such as valibot, quote it. A value is recognised as
 * a separate word.
 */
function withoutValue(message: string, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') return message;
  const text = String(value);
  if (text === '' || text.length > message.length) return message;
  const forms = [text, JSON.stringify(text).slice(1, -1)].map(literally);
  const word = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${forms.join('|')})(?![\\p{L}\\p{N}_])`, 'gu');
  return message.replaceAll(word, '…');
}

const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
