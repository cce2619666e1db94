import 'reflect-metadata';
import type {
  BatchOptions,
  HandlerOptions,
  PatternOrDefinition,
  QueueOptions,
} from '../src/consume/definition.js';
import { OptionsError } from '../src/errors.js';
import type { CircuitBreakerOptions } from '../src/features/circuit-breaker/circuit-breaker.js';
import type { IdempotentOptions } from '../src/features/idempotent/option.js';
import type { RateLimitOptions } from '../src/features/rate-limit/rate-limit.js';
import type { UniqueOptions } from '../src/message/unique.js';
import type { RetryOptions } from '../src/retry/policy.js';
import { refuseStandardDecorators } from './standard-decorators.js';

// biome-ignore lint/suspicious/noExplicitAny: a class by its constructor, whatever that takes
export type Class<Instance = object> = new (...dependencies: any[]) => Instance;

/** Whether a handler's instance lives as long as the bus, or is made for each message. */
export type HandlerScope = 'singleton' | 'message';

/**
 * Options of `@Handles`. What has a decorator of its own goes before that, and before the class's; of `retry` each option by
 * itself. Said here, a function of the payload has the definition's type.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlesOptions<Payload = any, Input = Payload>
  extends Omit<HandlerOptions<Payload, Input>, 'timeout' | 'failOnTimeout' | 'circuitBreaker' | 'encrypted'> {
  /** `message` builds the class for each message, in a child container that knows its MessageContext. @default 'singleton' */
  scope?: HandlerScope;
}

/** Options of `@Handles` for a handler that takes many messages in one call. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlesBatchOptions<Payload = any, Input = Payload> extends HandlesOptions<Payload, Input> {
  /** How its messages are gathered. Each counts towards the concurrency, so that is `max` at least. */
  batch: BatchOptions;
}

/** What decorators have said about a class, or about one of its methods. */
export interface Annotations {
  /** One entry for each `@Handles`. */
  readonly handles: {
    readonly patterns: readonly PatternOrDefinition[];
    readonly options: HandlesOptions & { readonly batch?: BatchOptions };
  }[];
  retry?: RetryOptions;
  timeout?: Pick<HandlerOptions, 'timeout' | 'failOnTimeout'>;
  rateLimit?: RateLimitOptions;
  circuitBreaker?: CircuitBreakerOptions;
  idempotent?: IdempotentOptions;
  inbox?: IdempotentOptions;
  unique?: UniqueOptions;
  encrypted?: true;
}

/** Everything that is said about a class. */
export interface ClassAnnotations extends Annotations {
  queue?: QueueOptions;
  readonly methods: Map<string | symbol, Annotations>;
}

/** In the global symbol registry, so that two copies of this file read each other's records. */
const KEY = Symbol.for('hopline:annotations');

function nothingSaid(): ClassAnnotations {
  return { handles: [], methods: new Map() };
}

/**
 * The record of what a decorator stands on: a class, or a method by its prototype and name.
 *
 * @throws OptionsError on a static method, or if the compiler calls decorators in another way than ours take
 */
export function annotationsAt(target: object, method: string | symbol): Annotations;
export function annotationsAt(target: object): ClassAnnotations;
export function annotationsAt(target: object, method?: string | symbol): Annotations {
  refuseStandardDecorators(method);
  if (method !== undefined && typeof target === 'function') {
    throw new OptionsError('decorators', [
      `${target.name}.${String(method)} is static: a handler is a method of an instance`,
    ]);
  }
  const owner = method === undefined ? target : target.constructor;
  let own = Reflect.getOwnMetadata(KEY, owner) as ClassAnnotations | undefined;
  if (!own) {
    own = nothingSaid();
    Reflect.defineMetadata(KEY, own, owner);
  }
  if (method === undefined) return own;
  const said = own.methods.get(method) ?? { handles: [] };
  own.methods.set(method, said);
  return said;
}

/** All that a class and the classes it extends say; the nearest word counts. */
export function annotationsOf(target: Class): ClassAnnotations {
  const chain: ClassAnnotations[] = [];
  for (let at: object | null = target; at; at = Object.getPrototypeOf(at)) {
    const own = Reflect.getOwnMetadata(KEY, at) as ClassAnnotations | undefined;
    if (own) chain.unshift(own);
  }
  const all = nothingSaid();
  for (const { handles, methods, ...own } of chain) {
    Object.assign(all, own);
    // A class that says itself what it handles does not add to its base.
    if (handles.length > 0) all.handles.splice(0, all.handles.length, ...handles);
    for (const [method, said] of methods) {
      const base = all.methods.get(method);
      const kept = said.handles.length > 0 ? said.handles : (base?.handles ?? []);
      all.methods.set(method, { ...base, ...said, handles: kept });
    }
  }
  return all;
}
