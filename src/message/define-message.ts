import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OptionsError } from '../errors.js';
import { patternProblem } from './routing-key.js';

/**
 * A message's routing key with the type, and if there is a schema the check, of its payload.
 *
 * @typeParam Key the routing key, or a pattern: then publishing asks for a concrete `key`
 * @typeParam Input what publishers give
 * @typeParam Output what handlers get: the schema's output (defaults filled in, strings turned into dates)
 */
export interface MessageDefinition<Key extends string = string, Input = unknown, Output = Input> {
  readonly key: Key;
  readonly schema: StandardSchemaV1<Input, Output> | undefined;
  /** Exists in types only. */
  readonly '~types'?: { readonly input: Input; readonly output: Output };
}

/** What handlers get for a definition; plain patterns give `any`, so that a handler may state its own type. */
export type OutputOf<Definition> =
  // biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is the handler's own word
  Definition extends MessageDefinition<string, any, infer Output> ? Output : any;

/** Whether a key has a wildcard word in its type. */
export type IsPattern<Key extends string> = Key extends `${string}*${string}` | `${string}#${string}`
  ? true
  : false;

/**
 * Names a message and gives its payload a type. Both sides validate: `publish` before anything is sent, the consumer
 * before its handler runs. What is sent is the payload as given, not the schema's output.
 *
 * @param key a routing key, or a pattern such as `order.*.refunded`
 * @param schema any Standard Schema (zod, valibot, arktype); without one only the types are checked
 * @throws OptionsError if the key can't be one
 */
export function defineMessage<const Key extends string, Input, Output = Input>(
  key: Key,
  schema: StandardSchemaV1<Input, Output>,
): MessageDefinition<Key, Input, Output>;
export function defineMessage<Payload, const Key extends string = string>(
  key: Key,
): MessageDefinition<Key, Payload, Payload>;
export function defineMessage<const Key extends string>(
  key: Key,
  schema?: StandardSchemaV1,
): MessageDefinition<Key> {
  const problem = patternProblem(key);
  if (problem) throw new OptionsError('defineMessage', [problem]);
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
    throw new OptionsError(`defineMessage('${key}')`, [
      'expected schema to be a Standard Schema (zod, valibot, arktype)',
    ]);
  }
  return Object.freeze({ key, schema });
}

export function isMessageDefinition(value: unknown): value is MessageDefinition {
  return typeof value === 'object' && value !== null && 'key' in value && 'schema' in value;
}
