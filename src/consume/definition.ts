import type { MessageContext } from '../message/context.js';
import type { MessageDefinition } from '../message/define-message.js';
import type { ExchangeOption } from '../message/exchange-option.js';
import type { Publisher } from '../message/publisher.js';
import type { RetryOptions } from '../retry/policy.js';
import type { QueueType } from '../topology/plan.js';
import type { Duration } from '../util/duration.js';

/** Options of a queue. Everybody who names the same queue must give the same values. */
export interface QueueOptions {
  /** Used as it is. @default `<service>.<ClassName>` for a class, `<service>` for plain handlers */
  name?: string;
  /** How many messages of this queue one process handles at once. @default 10 */
  concurrency?: number;
  /** How many messages the broker hands over ahead; at least the concurrency. @default the concurrency */
  prefetch?: number;
  /** Quorum queues survive the loss of a node and count deliveries; classic ones do neither. @default 'quorum' */
  type?: QueueType;
  /** Topic exchange that its patterns are bound to. @default the bus's exchange, `hopline.events` */
  exchange?: ExchangeOption;
  /** Failed deliveries (crashes, not throws) after which the broker itself dead-letters. Quorum only. @default 20 */
  deliveryLimit?: number;
}

/** Options of one handler. */
export interface HandlerOptions {
  /** When it is tried again, and when given up. */
  retry?: RetryOptions;
  /** How long one attempt may run. @default '60s' */
  timeout?: Duration;
  /** Whether a timeout gives the message up at once, as `timeout`, instead of counting as a failed attempt. @default false */
  failOnTimeout?: boolean;
  /** Lowers the queue's concurrency for this handler. @default the queue's */
  concurrency?: number;
  /** Topic exchange instead of the queue's. */
  exchange?: ExchangeOption;
}

/** Options of `bus.handle`: the handler's own, and its queue by name or with options. */
export interface HandleOptions extends HandlerOptions {
  /** Queue by name, or with options. @default the service's own queue */
  queue?: string | QueueOptions;
  /** What events and logs call it. @default the function's name, else its first pattern */
  name?: string;
  /** Runs once when the message is given up, before it is dead-lettered. */
  failed?: FailedFunction;
}

/** What runs for each attempt. Returning is success, throwing is a failed attempt. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type HandlerFunction<Payload = any> = (payload: Payload, context: MessageContext) => unknown;

/** What runs once when a message is given up. What it throws is recorded beside the failure. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type FailedFunction<Payload = any> = (
  error: Error,
  payload: Payload,
  context: MessageContext,
) => unknown;

/** A pattern, or a definition that stands for its key and validates the payload. */
export type PatternOrDefinition = string | MessageDefinition;

/** One handler as plain data: what `handlers()` makes of classes, and `bus.handle` of functions. */
export interface HandlerDefinition {
  /** As events, logs and dead letters call it: `SendWelcomeEmail`, `Billing.onPlaced`. */
  readonly name: string;
  readonly patterns: readonly PatternOrDefinition[];
  /** Options of the queue, and the name it has if they give none: a class's name, appended to the service's. */
  readonly queue: QueueOptions & { readonly ownName?: string };
  readonly options: HandlerOptions;
  readonly handle: HandlerFunction;
  readonly failed?: FailedFunction;
  /** Runs once at `start()`, before anything is declared: finds missing dependencies. */
  readonly prepare?: (publisher: Publisher) => void | Promise<void>;
}
