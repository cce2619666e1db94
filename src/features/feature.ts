import type { HandlerFunction, PlannedHandler } from '../pipeline/handler.js';
import type { AroundStage, GuardStage } from '../pipeline/stage.js';
import type { Check } from '../util/check.js';
import type { BulkParts } from './bulk/bulk-calls.js';
import type { PermitStageOptions } from './concurrency/stage.js';
import type { IdempotencyOptions } from './idempotent/stage.js';
import type { InboxOptions } from './inbox/inbox.js';
import type { LimitsInForce } from './limits/limits-in-force.js';
import type { LongParts } from './long/stage.js';
import type { PublishesOptions } from './publishes/stage.js';
import type { RateLimitsOptions } from './rate-limit/stage.js';
import type { ResumingOptions } from './resumable/stage.js';

/** Parts of the bus that stages are made with. */
export type FeatureParts = BulkParts &
  PermitStageOptions &
  IdempotencyOptions &
  InboxOptions &
  PublishesOptions &
  RateLimitsOptions &
  ResumingOptions & {
    /** What operators have set in place of handlers' own limits. Asked for each message, it is what is in force then. */
    readonly limits: LimitsInForce;
    /** Parts of handlers that run under leases; undefined where there are none. */
    readonly longJobs?: LongParts | undefined;
  };

/** Facts about the bus that options are judged by. */
export interface FeatureBus {
  /** True if leases can be held among all processes that may get the bus's messages. @default not known: nothing is refused */
  readonly hasSharedLeases?: boolean | undefined;
  /** True if the bus's stores have inboxes. */
  readonly hasInbox: boolean;
  /** True if the bus's stores keep checkpoints. */
  readonly hasCheckpoints: boolean;
  /** True if the bus's stores have semaphores. */
  readonly hasSemaphores: boolean;
  /** Undefined if the bus has no keys. */
  readonly encryption?: object | undefined;
  /** Timeout of handlers that set none. */
  readonly timeoutMs: number;
}

/** Code that a handler's stages end in. */
export interface HandlerCode {
  readonly run: HandlerFunction;
  /** Called when no more messages will come. */
  readonly close?: () => void;
}

/**
 * A handler option, and the parts that its handlers have by it. A handler without the option has none of them.
 *
 * @typeParam Declared a handler as it is declared, before its options are settled
 */
export interface Feature<Declared> {
  /** Check of the option by itself; undefined for a feature that is asked for by a part of another option. */
  readonly check?: Check;
  /** Option with its defaults. */
  readonly settings: (option: never) => unknown;
  /** Problems of the option with others and with the bus, as sentences without the handler's name. */
  readonly problems?: (handler: Declared, bus: FeatureBus) => readonly string[];
  /** Problems of the handlers of one queue with each other, as sentences. */
  readonly queueProblems?: (queue: string, handlers: readonly Declared[]) => readonly string[];
  /** Problems of all handlers of the bus with each other, as sentences. */
  readonly busProblems?: (handlers: readonly Declared[]) => readonly string[];
  /** Minimum slots of a queue with such a handler. */
  readonly slots?: (settings: never) => number;
  /** Made at the start, and made again when operators change the handler's limits: what a stage remembers itself may be lost then. */
  readonly guard?: (handler: PlannedHandler, settings: never, parts: FeatureParts) => GuardStage;
  readonly around?: (settings: never) => AroundStage;
  /** Code that calls the handler's function, in place of that function. */
  readonly code?: (handle: never, settings: never, parts: FeatureParts) => HandlerCode;
}
