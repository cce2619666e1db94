import type { MessageContext } from '../message/context.js';
import type { MessageDefinition } from '../message/define-message.js';
import type { ExchangeRef } from '../message/exchange-option.js';
import type { RequestDefinition } from '../message/requests/define-request.js';
import type { BindingOption } from '../message/routing/binding-option.js';
import type { RetryPolicy } from '../retry/policy.js';
import type { Deserializer } from '../serialization/serializer.js';

/** Function that runs for each attempt. The attempt succeeds if it returns, and fails if it throws. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type HandlerFunction<Payload = any> = (payload: Payload, context: MessageContext) => unknown;

/**
 * Function that answers a request: what it returns, or its promise resolves with, is the reply. If it throws, the reply says so.
 */
export type ReplyFunction<Payload = unknown, Reply = unknown> = (
  payload: Payload,
  context: MessageContext,
) => Reply | PromiseLike<Reply>;

/**
 * Function that handles many messages in one call. The n-th context belongs to the n-th payload: its `fail`, `release` and
 * `discard` decide for that message alone, and its signal is that message's. If the function returns, every
 * message without a decision of its own has succeeded, except where it returns a list: an Error in the list is
 * a failed attempt of the message at that index. If the function throws, every message without a decision of
 * its own has failed. A message that is tried again comes in a later call.
 */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type BulkFunction<Payload = any> = (payloads: Payload[], contexts: MessageContext[]) => unknown;

/** Function that runs once when a message is given up. An error that it throws is recorded with the failure. */
// biome-ignore lint/suspicious/noExplicitAny: the payload's type is the handler's own word
export type FailedFunction<Payload = any> = (
  error: Error,
  payload: Payload,
  context: MessageContext,
) => unknown;

/** A handler with its policies settled, as stages know it. What it has of the features is theirs alone. */
export interface PlannedHandler {
  /** Name in events and logs. Handlers of one queue may share it. */
  readonly name: string;
  /** Queue without a lane. Stores keep what belongs to a handler under both names. */
  readonly queue: string;
  readonly routes: readonly Route[];
  /** Set if each process gets a copy of the messages. */
  readonly each?: 'process' | undefined;
  /** What it answers; undefined for a handler of messages. */
  readonly answers: Answers | undefined;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  /** Maximum messages that run at once, within the queue's concurrency. Infinity if the handler sets none. */
  readonly concurrency: number;
  /** True if its attempts run under leases. @default false */
  readonly hasLease?: boolean;
  /** Takes no plain messages if true. */
  readonly encrypted: boolean | undefined;
  /** Deserializer of its bodies; undefined for the bus's serializer. */
  readonly body: Deserializer | undefined;
}

/** The request that a responder answers, and how. */
export interface Answers {
  readonly request: RequestDefinition;
  /** A request that may have been handled is handled again. */
  readonly isRepeatable: boolean;
  /** Requesters are shown the stacks of errors. */
  readonly showStack: boolean;
}

/** One pattern of a handler, and the definition that validates what comes through it. */
export interface Route {
  readonly pattern: string;
  readonly exchange: ExchangeRef;
  /** How the exchange is asked for its messages, if not by the pattern. */
  readonly binding?: BindingOption | undefined;
  readonly definition: MessageDefinition | undefined;
}

/** Handler that a routing key leads to in one queue. */
export interface Match<Handler extends PlannedHandler = PlannedHandler> {
  readonly handler: Handler;
  readonly definition: MessageDefinition | undefined;
}
