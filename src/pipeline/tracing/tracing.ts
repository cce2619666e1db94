import type { Headers } from '../../message/properties.js';
import type { LeavingIntent } from '../../message/publish-options.js';
import type { Clock } from '../../util/clock.js';
import type { ConsumeResult } from '../consume-middleware.js';
import type { Match } from '../handler.js';
import type { Received } from '../received.js';

/*
 * What a tracer sees of a bus. It is a kind of middleware of its own, since it also has what no other needs: whatever leaves is
 * written within it, a call of many is one call, and what a message leads to carries its trace. Without a tracer nothing of it
 * is asked for a message; with one, an attempt costs no promise. What a tracer throws reaches nobody: see guarded.ts.
 */

/** A call that publishes: one payload, many, the first step of a chain, or the jobs of a batch. */
export interface TracedPublish {
  readonly of: 'message' | 'many' | 'chain' | 'batch';
  readonly intent: LeavingIntent;
  readonly exchange: string;
  /** Routing key; of a batch its name. */
  readonly routingKey: string;
  /** Name of the messages, of which there are few: the definition's key, or else the routing key. */
  readonly type: string;
  /** Headers of the call; in a handler with those that its message leads to carry on. */
  readonly headers: Readonly<Headers>;
  readonly messageId: string | undefined;
  readonly correlationId: string | undefined;
  /** Milliseconds until the message is due; 0 if that is at once, or if the delay is wrong. */
  readonly delayMs: number;
}

/** What a call has led to. */
export interface TracedReceipt {
  /** Id of the message, if it is one. */
  readonly messageId?: string | undefined;
  /** False if it is added to an outbox. */
  readonly confirmed?: boolean;
  /** Number of payloads, if they are many. */
  readonly count?: number;
}

/** Message and handler of an attempt. */
export interface TracedAttempt {
  readonly received: Received;
  /** Undefined if no handler matches. */
  readonly match: Match | undefined;
  /** Number of the attempt. */
  readonly attempt: number;
  /** Milliseconds from its publish to now; undefined for what has not only waited for its turn, or if its publish is not known. */
  readonly waitMs: number | undefined;
}

/** A tracer's view of one attempt, from its beginning until the broker is told. */
export interface AttemptTrace {
  /** Headers that what the message leads to carries on, instead of the message's own. */
  readonly carried: Readonly<Headers>;
  /** Fields that name the trace, for log lines. */
  readonly logFields: Readonly<Record<string, unknown>>;
  /** Does something in the attempt's async context. */
  run<Arg, Result>(run: (arg: Arg) => Result, arg: Arg): Result;
  /** Called when the handler's part is over. Calls after the first are ignored. */
  decided(result: ConsumeResult): void;
  /** Called once, when the message is settled, or can't be any more. */
  settled(result: ConsumeResult): void;
}

export interface Tracing {
  /**
   * Wraps a call. What it throws is logged, and the call goes on without it; its promise must end as that of `publish` does.
   *
   * @param publish given headers that what is published gets, instead of those of the same names
   */
  publish<Receipt extends TracedReceipt>(
    call: TracedPublish,
    publish: (headers: Readonly<Headers>) => Promise<Receipt>,
  ): Promise<Receipt>;
  /** @param before the attempt that this one follows at once, within one delivery */
  attempt(attempt: TracedAttempt, before: AttemptTrace | undefined): AttemptTrace;
  /** Wraps one call of a handler of many. @param attempts those of its messages */
  bulk<Result>(attempts: readonly AttemptTrace[], run: () => Promise<Result>): Promise<Result>;
  /** Wraps the write of each message that leaves, whatever has led to it. @default not wrapped */
  readonly write?: WriteWithin | undefined;
}

export type WriteWithin = <Message, Result>(write: (message: Message) => Result, message: Message) => Result;

/** The bus that a tracer is for. */
export interface TracedBus {
  readonly service: string;
  /** The transport's. */
  readonly kind: 'amqp' | 'memory';
  readonly clock: Clock;
  /** Logs what a tracer has thrown: the first at once, later ones together. */
  threw(error: unknown): void;
}

/** Middleware that makes the tracer of its bus. It is outside of all other middleware. */
export interface TracingMiddleware {
  tracing(bus: TracedBus): Tracing;
}
