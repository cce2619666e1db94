import 'reflect-metadata';
import type {
  HandlerDefinition,
  HandlerOptions,
  HandlerTarget,
  QueueOptions,
  ReplyOptions,
} from '../src/consume/handlers/definition.js';
import type { BulkOption } from '../src/features/bulk/option.js';
import type { Token } from './token.js';

// biome-ignore lint/suspicious/noExplicitAny: a class by its constructor, whatever that takes
export type Class<Instance = object> = new (...dependencies: any[]) => Instance;

/** The lifetime of a handler's instance: as long as the bus, or one message. */
export type HandlerScope = 'singleton' | 'message';

/**
 * Options of `@Handles`. An option that has a decorator of its own takes precedence over that decorator, on
 * the method and on the class; for `retry` this holds for each of its options. A function of the payload has
 * the definition's type here.
 */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlesOptions<Payload = any, Input = Payload>
  extends Omit<HandlerOptions<Payload, Input>, 'timeout' | 'failOnTimeout' | 'circuitBreaker' | 'encrypted'>,
    InstanceOptions {}

/** Options of `@Replies`. `@Timeout`, `@CircuitBreaker` and `@Encrypted` stand beside it. */
export interface RepliesOptions<Payload = unknown, Input = Payload>
  extends Omit<ReplyOptions<Payload, Input>, 'timeout' | 'circuitBreaker' | 'encrypted'>,
    InstanceOptions {}

/** Options that say how the instance of a handler's class is made. */
export interface InstanceOptions {
  /**
   * Lifetime of the class's instance: `message` builds it for each message, in a child container that knows
   * its MessageContext.
   *
   * @default 'singleton'
   */
  scope?: HandlerScope;
  /**
   * Tokens of the constructor's arguments, one per parameter, in order. They take precedence over a
   * compiler's metadata, and are the same as `static inject = […]` in the class.
   * `handlers(classes, { resolve })` ignores them.
   *
   * @default `static inject` of the class, else the metadata that the compiler has written
   */
  inject?: readonly Token[];
}

/** Options of `@Handles` for a handler that takes many messages in one call. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlesBulkOptions<Payload = any, Input = Payload>
  extends HandlesOptions<Payload, Input>,
    BulkOption {}

/**
 * Options that are never merged: the nearest of `@Handles`, a decorator of the method and one of its class
 * gives the whole option.
 */
export type WholeOptions = Omit<HandlerOptions, 'retry' | 'timeout' | 'failOnTimeout'>;

/** Annotations of a class, or of one of its methods. */
export interface Annotations extends WholeOptions {
  /** One entry per `@Handles` or `@Replies`. */
  readonly handles: {
    readonly patterns: readonly HandlerTarget[];
    readonly options: HandlesOptions & Partial<BulkOption>;
    /** Of `@Replies`. */
    readonly answers?: NonNullable<HandlerDefinition['answers']>;
  }[];
  retry?: HandlerOptions['retry'];
  timeout?: Pick<HandlerOptions, 'timeout' | 'failOnTimeout'>;
}

/** Annotations of a class and of its methods. */
export interface ClassAnnotations extends Annotations {
  queue?: QueueOptions;
  readonly methods: Map<string | symbol, Annotations>;
}

/** The key is in the global symbol registry, so that two copies of this file read each other's records. */
const KEY = Symbol.for('hopline:annotations');

/*
 * Standard decorators of one class share an object, which is the class's own `Symbol.metadata` once all have
 * run: it knows a method by its name, whatever another decorator puts in the method's place. Node.js does not
 * have that symbol yet, and without it TypeScript gives decorators no such object; esbuild, swc and Babel
 * fall back on the very symbol that is set here.
 */
const symbols = Symbol as { metadata?: symbol };
symbols.metadata ??= Symbol.for('Symbol.metadata');

/**
 * The object that keeps a class's annotations: the one that its standard decorators share, else the class
 * itself.
 */
export function holderOf(target: Class): object {
  const metadata = symbols.metadata && Object.getOwnPropertyDescriptor(target, symbols.metadata)?.value;
  return typeof metadata === 'object' && metadata !== null ? metadata : target;
}

function nothingSaid(): ClassAnnotations {
  return { handles: [], methods: new Map() };
}

/**
 * Nest gives guards, pipes, interceptors and filters that are made for each request to classes with this mark, as it does to controllers;
 * it looks for it before any code of `hopline/nest` runs.
 */
const NEST_ENTRY_PROVIDER = '__entryProvider__';

/** The annotations of a class; an empty record is made if there is none. */
export function annotationsAt(holder: object): ClassAnnotations {
  const known = recordOf(holder);
  if (known) return known;
  const made = nothingSaid();
  Reflect.defineMetadata(KEY, made, holder);
  Reflect.defineMetadata(NEST_ENTRY_PROVIDER, true, holder);
  return made;
}

/** The annotations of a method, within its class's. */
export function methodAnnotations({ methods }: ClassAnnotations, method: string | symbol): Annotations {
  const said = methods.get(method) ?? { handles: [] };
  methods.set(method, said);
  return said;
}

/** The annotations of a class itself, without those of its bases. */
export function ownAnnotations(target: Class): ClassAnnotations | undefined {
  return recordOf(holderOf(target));
}

function recordOf(holder: object): ClassAnnotations | undefined {
  return Reflect.getOwnMetadata(KEY, holder);
}

/** The annotations of a class and its bases, merged; the nearest one counts. */
export function annotationsOf(target: Class): ClassAnnotations {
  const chain: ClassAnnotations[] = [];
  for (let at: unknown = target; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const own = ownAnnotations(at as Class);
    if (own) chain.unshift(own);
  }
  const all = nothingSaid();
  for (const { handles, methods, ...own } of chain) {
    Object.assign(all, own);
    // `@Handles` of a class replaces that of its base instead of adding to it.
    if (handles.length > 0) all.handles.splice(0, all.handles.length, ...handles);
    for (const [method, said] of methods) {
      const base = all.methods.get(method);
      const kept = said.handles.length > 0 ? said.handles : (base?.handles ?? []);
      all.methods.set(method, { ...base, ...said, handles: kept });
    }
  }
  return all;
}
