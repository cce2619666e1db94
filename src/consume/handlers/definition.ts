import type { BulkOption, BulkOptions } from '../../features/bulk/option.js';
import type { ConcurrencyOption } from '../../features/concurrency/option.js';
import type { FeatureOptions } from '../../features/features.js';
import type { TimeoutOption } from '../../features/timeout/option.js';
import type { InputOf, MessageDefinition, OutputOf } from '../../message/define-message.js';
import type { Arguments, ExchangeOption } from '../../message/exchange-option.js';
import type { RequestDefinition } from '../../message/requests/define-request.js';
import type { ReplyingOptions } from '../../message/requests/replying-options.js';
import type { Requester } from '../../message/requests/requester.js';
import type { BindingOption } from '../../message/routing/binding-option.js';
import type { BulkFunction, FailedFunction, HandlerFunction } from '../../pipeline/handler.js';
import type { RetryOptions } from '../../retry/policy.js';
import type { BodyOption } from '../../serialization/body-option.js';
import type { QueueType } from '../../topology/bus-topology.js';

/** Lane names in strict order of priority, or each lane's name with its share. */
export type LaneOptions = readonly string[] | Readonly<Record<string, number>>;

/** Options of a queue. All handlers that name the same queue must give it the same values. */
export interface QueueOptions {
  /**
   * Name of the queue in the broker, used without a prefix. Set it for every class whose queue lives long:
   * renaming or bundling the class changes the default name, and the old queue stays behind with its messages.
   * A class name that only a build tool can have given (`ra`, `default_1`) is an OptionsError. @default
   * `<service>.<ClassName>` for a class, `<service>` for plain handlers
   */
  name?: string;
  /** Maximum messages of this queue that one process handles at once. @default 10 */
  concurrency?: number;
  /**
   * Maximum unsettled messages that the broker hands to this process, per lane; at least the concurrency. With
   * lanes, the part above the concurrency keeps a message of a higher lane at hand. The bus fetches fewer while
   * handlers are so slow that a fetched message would wait for more than five minutes, and more while the
   * fetched messages wait for a handler whose own concurrency is used up. @default the concurrency; with lanes
   * twice the concurrency
   */
  prefetch?: number;
  /**
   * Queue type. Quorum queues survive the loss of a node and count deliveries; classic queues do neither.
   * @default 'quorum'
   */
  type?: QueueType;
  /** Exchange from which the queue gets its messages. @default the bus's exchange, `hopline.events`, of the type `topic` */
  exchange?: ExchangeOption;
  /**
   * False for a queue that belongs to someone else: it is consumed as it is, whatever its type and arguments, and needs a `name`.
   * Nothing is bound to it but Hopline's own exchanges, by which retries and dead letters come back; patterns only say which handler
   * takes a message. @default true
   */
  declare?: boolean;
  /**
   * Arguments for the queue's declaration, by the broker's names, beside those that Hopline sets. They can't be changed once the queue
   * exists: `hopline topology migrate` moves its messages to one that has others. @default none
   */
  arguments?: Arguments;
  /**
   * True for a queue of which the broker serves one consumer at a time, so that its messages are handled in order whatever the number of
   * processes: with `concurrency: 1` one after the other. It is declared with the argument `x-single-active-consumer`; with `declare: false`
   * it says that the owner has done so. The window stays as it is, and a process that stops or is paused ends what it has begun before
   * another one gets anything. No lanes. It can't be changed once the queue exists. @default false
   */
  singleActiveConsumer?: boolean;
  /**
   * Failed deliveries (crashes, not throws) after which the broker itself dead-letters a message. Before
   * RabbitMQ 4.3 a crash counts for every message that its process had fetched. The value can't be changed once
   * the queue exists. Quorum queues only. @default 200
   */
  deliveryLimit?: number;
  /**
   * Highest message priority, 1 to 255; messages of a higher priority are delivered first. A classic queue pays
   * for each level: use 10 at most. A quorum queue takes 0 to 31 from RabbitMQ 4.3 on; on older brokers
   * `start()` throws a TopologyError: use lanes there. On a classic queue the value can't be changed later.
   * @default none: messages are delivered in order of arrival
   */
  maxPriority?: number;
  /**
   * Lanes of the queue: each name but `default`, which is the queue itself, becomes a queue of its own. A list
   * is served in strict order: a message of a later lane starts only while no message of an earlier lane waits.
   * Weights share the handlers: `{ high: 5, default: 2, low: 1 }`. The concurrency is shared by all lanes.
   * @default one queue, without lanes
   */
  lanes?: LaneOptions;
  /** Body format of handlers that set none themselves. @default by the bus's serializer: JSON */
  body?: BodyOption;
  /** When messages leave that handlers publish which set none themselves: `now` or `after`. @default the bus's `publishes`: `now` */
  publishes?: 'now' | 'after';
}

/**
 * Options of one handler.
 *
 * @typeParam Payload payload that the handler gets
 * @typeParam Input payload that publishers give, which the schema may transform
 */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandlerOptions<Payload = any, Input = Payload>
  extends TimeoutOption,
    ConcurrencyOption<Payload>,
    FeatureOptions<Payload, Input> {
  /**
   * Retry policy: when a failed message is tried again, and when it is given up. @default the bus's `retry`,
   * option by option
   */
  retry?: RetryOptions<Payload>;
  /** Exchange from which this handler gets its messages, instead of the queue's. @default the queue's */
  exchange?: ExchangeOption;
  /**
   * How the exchange leads messages to the handler's queue, where that is not by its patterns: the headers that a `headers` exchange
   * compares, the weight that a consistent hash goes by. @default by the patterns
   */
  binding?: BindingOption;
  /**
   * Gives each process that runs the handler a copy of every message, on a queue that goes with the process. Such a message isn't
   * kept: a process that isn't there, or has lost its connection, misses it. `'process'` is the only value. @default none: one
   * process handles each message
   */
  each?: 'process';
  /**
   * Body format: `'json'`, `'text'`, `'bytes'` (a Buffer that belongs to the handler), or a deserializer.
   * Content encodings such as gzip are undone first; the definition's schema checks the result. @default the
   * queue's `body`, else the bus's serializer: JSON
   */
  body?: BodyOption;
}

/** Options of `bus.handle`: those of the handler, and its queue. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface HandleOptions<Payload = any, Input = Payload> extends HandlerOptions<Payload, Input> {
  /** Queue of the handler: its name, or its options. @default the service's own queue */
  queue?: string | QueueOptions;
  /**
   * Handler's name in events and logs. Stores remember handled messages under this name and the queue's: a
   * rename forgets them. @default the function's name, else its first pattern
   */
  name?: string;
  /** Function that runs once when the message is given up, before the message is dead-lettered. @default none */
  failed?: FailedFunction<Payload>;
}

/** Options of `bus.handle` for a handler that takes many messages in one call. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface BulkHandleOptions<Payload = any, Input = Payload>
  extends HandleOptions<Payload, Input>,
    BulkOption {}

/**
 * Options of one responder: a handler whose return value is the reply.
 *
 * @typeParam Payload payload that the handler gets
 * @typeParam Input payload that requesters give, which the schema may transform
 */
export interface ReplyOptions<Payload = unknown, Input = Payload>
  extends Pick<
      HandlerOptions<Payload, Input>,
      'timeout' | 'exchange' | 'body' | 'encrypted' | 'circuitBreaker' | 'middleware' | 'publishes'
    >,
    ReplyingOptions {
  /** Maximum requests that this responder answers at once in one process, at most the queue's concurrency. @default the queue's */
  concurrency?: number;
}

/** Options of `bus.reply`: those of the responder, and its queue. */
export interface BusReplyOptions<Payload = unknown, Input = Payload> extends ReplyOptions<Payload, Input> {
  /**
   * Queue that its requests belong to: its name, or its options. The requests wait in a queue of their own, named as this one with
   * `.requests` behind. @default the service's own queue
   */
  queue?: string | QueueOptions;
  /** Handler's name in events and logs. @default the function's name, else the request's key */
  name?: string;
}

/** A pattern, or a definition, which stands for its routing key and validates the payload. */
export type HandlerTarget = string | MessageDefinition;

/** One pattern or several; a definition gives the handler's payload its type. */
export type Patterns = HandlerTarget | readonly HandlerTarget[];

/**
 * Type of the payload that a handler gets: the output of its definition, or the union of several; for plain
 * patterns the type that its `body` option reads.
 */
export type PayloadOf<Given extends Patterns, Body = 'json'> = EachPayload<EachOf<Given>, Body>;

/** Type of the payload that publishers give to a handler of these patterns. */
export type PublishedTo<Given extends Patterns> = InputOf<EachOf<Given>>;

type EachOf<Given> = Given extends readonly (infer Each)[] ? Each : Given;

type EachPayload<Each, Body> = Each extends string ? ReadAs<Body> : OutputOf<Each>;

// biome-ignore lint/suspicious/noExplicitAny: the type of a payload that nobody has defined is the handler's own word
type ReadAs<Body> = Body extends 'text' ? string : Body extends 'bytes' ? Buffer : any;

/** One handler as plain data: the result of `handlers()` for classes and of `bus.handle` for functions. */
export interface HandlerDefinition {
  /** Name in events, logs and dead letters: `SendWelcomeEmail`, `Billing.onPlaced`. */
  readonly name: string;
  readonly patterns: readonly HandlerTarget[];
  /** Options of the queue. `ownName` is used if they hold no name: a class's name, appended to the service's. */
  readonly queue: QueueOptions & { readonly ownName?: string };
  readonly options: HandlerOptions & { readonly bulk?: BulkOptions };
  /** The request that the handler answers: what it returns is the reply. Undefined for a handler of messages. */
  readonly answers?: ReplyingOptions & { readonly request: RequestDefinition };
  /** A `BulkFunction` if `options.bulk` is set. */
  readonly handle: HandlerFunction | BulkFunction;
  readonly failed?: FailedFunction;
  /** Runs once at `start()`, before anything is declared, and throws if a dependency is missing. */
  readonly prepare?: (bus: Requester) => void | Promise<void>;
}
