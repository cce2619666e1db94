import type { StandardSchemaV1 } from '@standard-schema/spec';
import { OptionsError } from '../errors.js';
import {
  type Check,
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
import { patternProblem } from './routing/routing-key.js';
import { type UniqueOptions, type UniqueSettings, uniqueOption, uniqueSettings } from './unique.js';
import { MAX_PACK_ITEMS } from './wire/pack.js';

/**
 * A message's routing key, with the type of its payload and the schema that checks it, if there is one.
 *
 * @typeParam Key the routing key, or a pattern: then publishing requires a concrete `key`
 * @typeParam Input payload that publishers give
 * @typeParam Output payload that handlers get: the schema's output (defaults filled in, strings turned into
 * dates)
 */
export interface MessageDefinition<Key extends string = string, Input = unknown, Output = Input> {
  readonly key: Key;
  readonly schema: StandardSchemaV1<Input, Output> | undefined;
  /** Set if single publishes of this definition are gathered into packs. */
  readonly pack?: PackSettings | undefined;
  /** Set if a `send` of this definition is unique. */
  readonly unique?: UniqueSettings | undefined;
  /** Set if every message of this definition is encrypted. */
  readonly encrypted?: true | undefined;
  /** Exists in types only. */
  readonly '~types'?: { readonly input: Input; readonly output: Output };
}

/** Gathering of single publishes into packs: many payloads in one AMQP message, with one confirm. */
export interface PackOptions {
  /** Maximum payloads in one pack, 2 to 10,000. @default 100 */
  max?: number;
  /** Longest time that the first payload of a pack waits for others, 1 ms to 1 s. @default '5ms' */
  within?: Duration;
}

export interface PackSettings {
  readonly max: number;
  readonly withinMs: number;
}

/** Options of a definition beside key and schema. */
// biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is its user's own word
export interface DefineOptions<Payload = any> {
  /**
   * Gathers single publishes with this definition into packs. Each publish keeps its own promise; a publish
   * with its own messageId or delay goes alone. Payloads must be JSON. @default off: each publish is a message
   */
  pack?: PackOptions;
  /**
   * Makes sends unique: while a message waits or is handled, a `send` with the same key throws a
   * {@link NotUniqueError}; with `keep: 'last'`, only the newest message is handled. Applies to all processes
   * that share the bus's `stores`. Events can't be unique: `publish` refuses the definition. @default off:
   * every message is sent
   */
  unique?: UniqueOptions<Payload>;
  /**
   * Encrypts every message of this definition with the `encryption` of the publishing bus; it has no effect on
   * handlers. Can't be combined with `pack`. @default false
   */
  encrypted?: boolean;
}

const PACK_DEFAULTS = { max: 100, within: '5ms' } as const;

/** Check of an option that is a schema, or left out. */
export const standardSchema: Check = {
  expected: 'a Standard Schema (zod, valibot, arktype)',
  accepts: (schema) =>
    schema === undefined ||
    typeof (schema as StandardSchemaV1 | null)?.['~standard']?.validate === 'function',
};

export const packSize = integerFrom(2, MAX_PACK_ITEMS);

const DEFINE_FIELDS: Fields = {
  pack: objectWith({ max: packSize, within: durationUpTo('1s') }),
  unique: uniqueOption,
  encrypted: flag,
};

/** Payload that handlers of a definition get; `any` for a plain pattern, so that a handler may state its own type. */
export type OutputOf<Definition> =
  // biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is the handler's own word
  Definition extends MessageDefinition<string, any, infer Output> ? Output : any;

/** Payload that publishers of a definition give; `any` for a plain pattern. */
export type InputOf<Definition> =
  // biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is its user's own word
  Definition extends MessageDefinition<string, infer Input, any> ? Input : any;

/** True if a key's type has a wildcard. */
export type IsPattern<Key extends string> = Key extends `${string}*${string}` | `${string}#${string}`
  ? true
  : false;

/**
 * Names a message and types its payload. Both sides validate: `publish` before anything is sent, the consumer
 * before its handler runs. The payload is sent as given, not as the schema's output.
 *
 * @param key a routing key, or a pattern such as `order.*.refunded`
 * @param schema any Standard Schema (zod, valibot, arktype); without one only the compiler checks the payload
 * @throws OptionsError for an invalid key or option
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
  if (!standardSchema.accepts(schema))
    throw new OptionsError(`defineMessage('${key}')`, [`expected schema to be ${standardSchema.expected}`]);
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
