import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OptionsError } from '../errors.js';
import {
  durationUpTo,
  type Fields,
  flag,
  integerFrom,
  isPlainObject,
  objectWith,
  problemsOf,
  show,
} from '../util/check.js';
import { type Duration, toMs } from '../util/duration.js';
import { MAX_PACK_ITEMS } from './pack.js';
import { patternProblem } from './routing-key.js';
import { type UniqueOptions, type UniqueSettings, uniqueOption, uniqueSettings } from './unique.js';

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
  /** Set if single publishes of it are gathered. */
  readonly pack?: PackSettings | undefined;
  /** Set if a `send` of it is unique. */
  readonly unique?: UniqueSettings | undefined;
  /** Set if each message of it is encrypted. */
  readonly encrypted?: true | undefined;
  /** Exists in types only. */
  readonly '~types'?: { readonly input: Input; readonly output: Output };
}

/** How single publishes are gathered into packs: many payloads in one AMQP message, confirmed by one confirm. */
export interface PackOptions {
  /** How many go into one pack at most, 2 to 10,000. @default 100 */
  max?: number;
  /** How long the first of a pack waits for others, 1 ms to 1 s. @default '5ms' */
  within?: Duration;
}

export interface PackSettings {
  readonly max: number;
  readonly withinMs: number;
}

/** What a definition may say beside key and schema. */
// biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is its user's own word
export interface DefineOptions<Payload = any> {
  /**
   * Gathers what is published with this definition one by one. Each publish keeps its own promise; a publish with a
   * messageId or a delay of its own goes alone. Only JSON can be packed.
   */
  pack?: PackOptions;
  /**
   * While a message waits or is handled, a `send` of another with the same key is a {@link NotUniqueError}; or, with
   * `keep: 'last'`, only the newest is handled. Known over all processes that share the bus's `stores`. An event can't be
   * unique: `publish` refuses it. @default each is sent
   */
  unique?: UniqueOptions<Payload>;
  /**
   * Encrypts each message of it, with the `encryption` of the bus that publishes; for handlers it says nothing. Not together
   * with `pack`. @default false
   */
  encrypted?: boolean;
}

const PACK_DEFAULTS = { max: 100, within: '5ms' } as const;

export const packSize = integerFrom(2, MAX_PACK_ITEMS);

const DEFINE_FIELDS: Fields = {
  pack: objectWith({ max: packSize, within: durationUpTo('1s') }),
  unique: uniqueOption,
  encrypted: flag,
};

/** What handlers get for a definition; plain patterns give `any`, so that a handler may state its own type. */
export type OutputOf<Definition> =
  // biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is the handler's own word
  Definition extends MessageDefinition<string, any, infer Output> ? Output : any;

/** What publishers give for a definition; `any` for a plain pattern. */
export type InputOf<Definition> =
  // biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is its user's own word
  Definition extends MessageDefinition<string, infer Input, any> ? Input : any;

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
 * @throws OptionsError if the key can't be one, or an option can't work
 */
export function defineMessage<const Key extends string, Input, Output = Input>(
  key: Key,
  schema: StandardSchemaV1<Input, Output>,
  options?: DefineOptions<NoInfer<Input>>,
): MessageDefinition<Key, Input, Output>;
export function defineMessage<Payload, const Key extends string = string>(
  key: Key,
  schema?: undefined,
  options?: DefineOptions<NoInfer<Payload>>,
): MessageDefinition<Key, Payload, Payload>;
export function defineMessage<const Key extends string>(
  key: Key,
  schema?: StandardSchemaV1,
  options: DefineOptions = {},
): MessageDefinition<Key> {
  const problem = patternProblem(key);
  if (problem) throw new OptionsError('defineMessage', [problem]);
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') {
    throw new OptionsError(`defineMessage('${key}')`, [
      'expected schema to be a Standard Schema (zod, valibot, arktype)',
    ]);
  }
  const problems = isPlainObject(options)
    ? problemsOf(options, '', DEFINE_FIELDS)
    : [`expected its options to be an object, got ${show(options)}`];
  if (options?.pack && options.encrypted)
    problems.push('expected either pack or encrypted, got both: messages are encrypted one by one');
  if (problems.length > 0) throw new OptionsError(`defineMessage('${key}')`, problems);
  const { pack, unique, encrypted } = options;
  if (pack && unique)
    throw new OptionsError(`defineMessage('${key}')`, ['expected either pack or unique, got both']);
  return Object.freeze({
    key,
    schema,
    ...(pack ? { pack: packSettings(pack) } : {}),
    ...(unique ? { unique: uniqueSettings(unique) } : {}),
    ...(encrypted ? { encrypted } : {}),
  });
}

function packSettings(options: PackOptions): PackSettings {
  const { max, within } = { ...PACK_DEFAULTS, ...options };
  return { max, withinMs: toMs(within) };
}

export function isMessageDefinition(value: unknown): value is MessageDefinition {
  return typeof value === 'object' && value !== null && 'key' in value && 'schema' in value;
}
