import type { CircuitBreakerOptions } from '../features/circuit-breaker/circuit-breaker.js';
import type { IdempotentOptions } from '../features/idempotent/option.js';
import type { RateLimitOptions } from '../features/rate-limit/rate-limit.js';
import type { MessageContext } from '../message/context.js';
import type { InputOf, MessageDefinition, OutputOf } from '../message/define-message.js';
import type { ExchangeOption } from '../message/exchange-option.js';
import type { Publisher } from '../message/publisher.js';
import type { UniqueOptions } from '../message/unique.js';
import type { RetryOptions } from '../retry/policy.js';
import type { BodyOption } from '../serialization/body-option.js';
import type { QueueType } from '../topology/plan.js';
import type { Duration } from '../util/duration.js';

/** Names in the order they are served, or how large the share of each is. */
export type Lanes = readonly string[] | Readonly<Record<string, number>>;

/** Options of a queue. Everybody who names the same queue must give the same values. */
export interface QueueOptions {
  /**
   * Used as it is. Name the queue of a class in anything that lives long: a rename or a bundler gives the class another name, and
   * the old queue stays behind with its messages. A name that only a tool can have given (`ra`, `default_1`) is an
   * OptionsError. @default `<service>.<ClassName>` for a class, `<service>` for plain handlers
   */
  name?: string;
  /** How many messages of this queue one process handles at once. @default 10 */
  concurrency?: number;
  /**
   * How many messages the broker hands over ahead, from each lane; at least the concurrency. With lanes, what it is
   * above the concurrency keeps a higher lane's next message at hand. Less is fetched while handlers are so slow that it would
   * wait for more than five minutes, and more while what is here waits for a handler with a concurrency of its own that is
   * full. @default the concurrency; with lanes twice that
   */
  prefetch?: number;
  /** Quorum queues survive the loss of a node and count deliveries; classic ones do neither. @default 'quorum' */
  type?: QueueType;
  /** Topic exchange that its patterns are bound to. @default the bus's exchange, `hopline.events` */
  exchange?: ExchangeOption;
  /**
   * Failed deliveries (crashes, not throws) after which the broker itself dead-letters. Before RabbitMQ 4.3 a crash counts for
   * all that its process had fetched. It can't be changed once the queue is there. Quorum only. @default 200
   */
  deliveryLimit?: number;
  /**
   * Message priorities, up to this one, 1 to 255; higher first. A classic queue pays for each level: take few, 10 at
   * most. A quorum queue has 0 to 31 from RabbitMQ 4.3 on; before that, starting is a TopologyError: take lanes. On a
   * classic queue it can't be changed later. @default none: in order of arrival
   */
  maxPriority?: number;
  /**
   * A queue for each of these names beside its own, which is `default`. A list is served strictly in its order: a later
   * one starts only while no earlier one waits. Weights share: `{ high: 5, default: 2, low: 1 }`. Concurrency belongs
   * to all lanes together. @default one queue, without lanes
   */
  lanes?: Lanes;
  /** How bodies are read for its handlers that say nothing themselves. @default by the bus's serializer: JSON */
  body?: BodyOption;
}

/**
 * Options of one handler.
 *
 * @typeParam Payload what it gets
 * @typeParam Input what publishers give, which the schema may make something else of
 */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlerOptions<Payload = any, Input = Payload> {
  /** When it is tried again, and when given up. */
  retry?: RetryOptions<Payload>;
  /** How long one attempt may run. @default '60s' */
  timeout?: Duration;
  /** Whether a timeout gives the message up at once, as `timeout`, instead of counting as a failed attempt. @default false */
  failOnTimeout?: boolean;
  /** Lowers the queue's concurrency for this handler. @default the queue's */
  concurrency?: number;
  /** Topic exchange instead of the queue's. */
  exchange?: ExchangeOption;
  /**
   * How its bodies are read: `'json'`, `'text'`, `'bytes'` (a Buffer of its own), or by a deserializer. Content encodings are
   * undone before, and a definition's schema checks what comes of it. @default as its queue says, else by the bus's serializer: JSON
   */
  body?: BodyOption;
  /** How often it may begin, over all processes that share the bus's `stores`. A message above it comes back later. @default without limit */
  rateLimit?: RateLimitOptions<Payload>;
  /**
   * Doesn't handle a message again that it has handled, over all processes that share the bus's `stores`; `{}` knows it by its
   * id. @default handles whatever comes
   */
  idempotent?: IdempotentOptions<Payload>;
  /**
   * Works in one database transaction (`context.transaction`): what it does there, that it has handled the message, and what its
   * context publishes are committed together. Needs `stores` with an inbox: `postgresStores()`. @default none
   */
  inbox?: IdempotentOptions<Payload>;
  /**
   * Refuses a `send` of the same bus that goes to it while another with the same key waits or is handled, over all processes
   * that share the bus's `stores`. What the message's definition or the send itself says goes first. @default each is sent
   */
  unique?: UniqueOptions<Input>;
  /**
   * Takes encrypted messages only: a plain one is dead-lettered as `undecodable`, so that nobody without a key can have it
   * run. @default takes both
   */
  encrypted?: boolean;
  /** Pauses its queue while it fails too often. @default never */
  circuitBreaker?: CircuitBreakerOptions;
}

/** How messages are gathered for a handler that takes many in one call. */
export interface BatchOptions {
  /** How many in one call at most, 2 to 10,000. @default 100 */
  max?: number;
  /** How long the first of a batch waits for others, 1 ms to 1 min, and shorter than the handler's timeout. @default '50ms' */
  within?: Duration;
}

/** Options of `bus.handle`: the handler's own, and its queue by name or with options. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandleOptions<Payload = any, Input = Payload> extends HandlerOptions<Payload, Input> {
  /** Queue by name, or with options. @default the service's own queue */
  queue?: string | QueueOptions;
  /** What events and logs call it, and by which, with its queue, stores know what it has handled. @default the function's name, else its first pattern */
  name?: string;
  /** Runs once when the message is given up, before it is dead-lettered. */
  failed?: FailedFunction<Payload>;
}

/** Options of `bus.handle` for a handler that takes many messages in one call. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface BatchHandleOptions<Payload = any, Input = Payload> extends HandleOptions<Payload, Input> {
  /**
   * How its messages are gathered; {@link BatchFunction} says what it is called with. Each message counts towards the
   * concurrency, so that is `max` at least, and is so by default.
   */
  batch: BatchOptions;
}

/** What runs for each attempt. Returning is success, throwing is a failed attempt. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type HandlerFunction<Payload = any> = (payload: Payload, context: MessageContext) => unknown;

/**
 * What runs for a batch. The n-th context is the n-th payload's: its `fail`, `release` and `discard` decide for that one
 * message, and its signal is that message's. Returning is success for each that has not decided otherwise, but where the
 * handler returns a list: an Error in it is a failed attempt of the message in that place. Throwing is a failed attempt
 * of all that have not decided. A message that is tried again comes in some later batch.
 */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type BatchFunction<Payload = any> = (payloads: Payload[], contexts: MessageContext[]) => unknown;

/** What runs once when a message is given up. What it throws is recorded beside the failure. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type FailedFunction<Payload = any> = (
  error: Error,
  payload: Payload,
  context: MessageContext,
) => unknown;

/** A pattern, or a definition that stands for its key and validates the payload. */
export type PatternOrDefinition = string | MessageDefinition;

/** One pattern or several; a definition gives the handler's payload its type. */
export type Patterns = PatternOrDefinition | readonly PatternOrDefinition[];

/** What handlers get: what the definition says, of several what any says; for plain patterns what their bodies are read as. */
export type PayloadOf<Given extends Patterns, Body = 'json'> = EachPayload<EachOf<Given>, Body>;

/** What publishers give to the handler of these patterns. */
export type PublishedTo<Given extends Patterns> = InputOf<EachOf<Given>>;

type EachOf<Given> = Given extends readonly (infer Each)[] ? Each : Given;

type EachPayload<Each, Body> = Each extends string ? ReadAs<Body> : OutputOf<Each>;

// biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is the handler's own word
type ReadAs<Body> = Body extends 'text' ? string : Body extends 'bytes' ? Buffer : any;

/** One handler as plain data: what `handlers()` makes of classes, and `bus.handle` of functions. */
export interface HandlerDefinition {
  /** As events, logs and dead letters call it: `SendWelcomeEmail`, `Billing.onPlaced`. */
  readonly name: string;
  readonly patterns: readonly PatternOrDefinition[];
  /** Options of the queue, and the name it has if they give none: a class's name, appended to the service's. */
  readonly queue: QueueOptions & { readonly ownName?: string };
  readonly options: HandlerOptions & { readonly batch?: BatchOptions | undefined };
  /** With `batch`, of many. */
  readonly handle: HandlerFunction | BatchFunction;
  readonly failed?: FailedFunction;
  /** Runs once at `start()`, before anything is declared: finds missing dependencies. */
  readonly prepare?: (publisher: Publisher) => void | Promise<void>;
}
