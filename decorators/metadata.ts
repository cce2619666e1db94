import 'reflect-metadata';
import type {
  BatchOptions,
  HandlerOptions,
  PatternOrDefinition,
  QueueOptions,
} from '../src/consume/definition.js';
import type { Token } from './token.js';

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
  /**
   * What the constructor of its class is given, a token for each parameter, in their order. It goes before the metadata of a
   * compiler, and is the same as `static inject = […]` in the class. `handlers(classes, { resolve })` has no use for it.
   *
   * @default `static inject` of the class, else the metadata that the compiler has written
   */
  inject?: readonly Token[];
}

/** Options of `@Handles` for a handler that takes many messages in one call. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlesBatchOptions<Payload = any, Input = Payload> extends HandlesOptions<Payload, Input> {
  /** How its messages are gathered. Each counts towards the concurrency, so that is `max` at least. */
  batch: BatchOptions;
}

/** Options that are said whole: by `@Handles`, or else by a decorator of the method, or else by one of its class. */
export const WHOLE = ['rateLimit', 'circuitBreaker', 'idempotent', 'inbox', 'unique', 'encrypted'] as const;

export type WholeOptions = Pick<HandlerOptions, (typeof WHOLE)[number]>;

/** What decorators have said about a class, or about one of its methods. */
export interface Annotations extends WholeOptions {
  /** One entry for each `@Handles`. */
  readonly handles: {
    readonly patterns: readonly PatternOrDefinition[];
    readonly options: HandlesOptions & { readonly batch?: BatchOptions };
  }[];
  retry?: HandlerOptions['retry'];
  timeout?: Pick<HandlerOptions, 'timeout' | 'failOnTimeout'>;
}

/** Everything that is said about a class. */
export interface ClassAnnotations extends Annotations {
  queue?: QueueOptions;
  readonly methods: Map<string | symbol, Annotations>;
}

/** In the global symbol registry, so that two copies of this file read each other's records. */
const KEY = Symbol.for('hopline:annotations');

/*
 * Standard decorators of one class share an object, which is the class's own `Symbol.metadata` when all have run: it knows a
 * method by its name, whatever another decorator puts in the method's place. Node.js has no such symbol yet, and without it
 * TypeScript gives decorators no such object; esbuild, swc and Babel fall back on the very symbol that is put there now.
 */
const symbols = Symbol as { metadata?: symbol };
symbols.metadata ??= Symbol.for('Symbol.metadata');

/** The object that keeps what is said about a class: what its standard decorators share, else the class itself. */
export function holderOf(target: Class): object {
  const metadata = symbols.metadata && Object.getOwnPropertyDescriptor(target, symbols.metadata)?.value;
  return typeof metadata === 'object' && metadata !== null ? metadata : target;
}

function nothingSaid(): ClassAnnotations {
  return { handles: [], methods: new Map() };
}

/** The record of a class, made if there is none. */
export function annotationsAt(holder: object): ClassAnnotations {
  const known = recordOf(holder);
  if (known) return known;
  const made = nothingSaid();
  Reflect.defineMetadata(KEY, made, holder);
  return made;
}

/** The record of a method within its class's. */
export function methodAnnotations({ methods }: ClassAnnotations, method: string | symbol): Annotations {
  const said = methods.get(method) ?? { handles: [] };
  methods.set(method, said);
  return said;
}

/** What a class says itself, without those that it extends. */
export function ownAnnotations(target: Class): ClassAnnotations | undefined {
  return recordOf(holderOf(target));
}

function recordOf(holder: object): ClassAnnotations | undefined {
  return Reflect.getOwnMetadata(KEY, holder);
}

/** All that a class and the classes it extends say; the nearest word counts. */
export function annotationsOf(target: Class): ClassAnnotations {
  const chain: ClassAnnotations[] = [];
  for (let at: unknown = target; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const own = ownAnnotations(at as Class);
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
