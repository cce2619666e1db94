import { AsyncResource } from 'node:async_hooks';
import type { Headers } from '../message/properties.js';
import type { ChainState } from '../message/wire/chain-header.js';
import type { Clock } from '../util/clock.js';
import type { Match } from './handler.js';
import type { AttemptLease } from './lease.js';
import type { Outcome } from './outcome.js';
import type { Received } from './received.js';
import type { AttemptTrace } from './tracing/tracing.js';

/** Content of a message, and how it is to be read. */
export interface Content {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  /** Headers beside those that came. */
  readonly headers?: Readonly<Headers> | undefined;
}

/**
 * A delivery and the handler that is to have it, with what changes while it is here: {@link received} is what came, and stays
 * as it came.
 */
export class Work {
  /** Number of the attempt that runs, or is to run next. */
  attempt: number;
  /** Throws so far. */
  exceptions: number;
  /** When its first attempt in this delivery began, in monotonic milliseconds; undefined before that. */
  beganAt: number | undefined = undefined;
  /** The chain that it is a step of, as far as it can be read; once its body is, with the result of the step before decrypted. */
  chain: ChainState | undefined;
  /** Content that a middleware has put in the place of the delivery's, for this attempt; undefined if none has. */
  replaced: Content | undefined = undefined;
  /** What the code of a responder has returned, and the reply that was made of it; undefined before, and for messages. */
  returned: unknown = undefined;
  reply: Pick<Content, 'body' | 'contentType'> | undefined = undefined;
  /** When the requester waits no more, in monotonic milliseconds; undefined if the request does not say so, and for messages. */
  overAt: number | undefined = undefined;
  /**
   * Run of a tracked message, by the name that its record knows it by; `refused` if the record has kept it from being run. Undefined
   * for what has no record.
   */
  job: { readonly run: string } | 'refused' | undefined = undefined;
  /** Lease of the attempt that runs; undefined for a handler that has none. */
  lease: AttemptLease | undefined = undefined;
  /** True for a request that was over before it could begin: it is not answered. */
  isExpired = false;
  /** Outcome that was decided before its first attempt; it then has none. */
  decided: Outcome | undefined = undefined;
  /** Outcome that has been stored, and of which the broker was told; undefined before, and if the channel is lost. */
  ended: Outcome | undefined = undefined;
  /** True once its settling has begun, and its room in its lane's window is given back. */
  isSettling = false;
  /**
   * Trace of the attempt that runs; undefined without a tracer.
   *
   * @internal
   */
  trace: AttemptTrace | undefined = undefined;
  /** The async context in which it was delivered, if it can't start in there at once. */
  private context: AsyncResource | undefined = undefined;

  /** @param lane which lane it came through, by its place in the list of those that share the slots; 0 where there is only one */
  constructor(
    readonly received: Received,
    readonly match: Match | undefined,
    readonly lane: number,
  ) {
    this.attempt = received.attempt;
    this.exceptions = received.exceptions;
    this.chain = received.chain instanceof Error ? undefined : received.chain;
  }

  /** Wall-clock milliseconds of the first attempt; undefined before it has begun. */
  firstAttemptAt(clock: Clock): number | undefined {
    const { firstAttemptAt } = this.received;
    if (firstAttemptAt !== undefined || this.beganAt === undefined) return firstAttemptAt;
    return Math.round(clock.now() - (clock.monotonic() - this.beganAt));
  }

  /** Milliseconds of attempts and pauses, those of this delivery included; undefined if they were not counted. */
  elapsedMs(monotonicNow: number): number | undefined {
    const { elapsedMs } = this.received;
    if (elapsedMs === undefined || this.beganAt === undefined) return elapsedMs;
    return elapsedMs + Math.max(0, monotonicNow - this.beganAt);
  }

  /** True if nothing can be stored for it any more: its channel is gone, and no lease holds it for this process. */
  get isGone(): boolean {
    return this.received.delivery.lost && this.lease?.isHeld !== true;
  }

  /** True if it comes again whatever its attempt leads to: it is gone, or another run of it may have begun since its lease is lost. */
  get comesAgain(): boolean {
    return this.isGone || this.lease?.isLost === true;
  }

  /** True if it could not start as it came. */
  get hasWaited(): boolean {
    return this.context !== undefined;
  }

  /** Keeps the async context of now, for {@link inContext}. */
  keepContext(): void {
    this.context = new AsyncResource('HOPLINE_DELIVERY');
  }

  /** Does something for a message that has waited, in the async context in which it was delivered. */
  inContext<T>(run: (work: Work) => T): T {
    return this.context ? this.context.runInAsyncScope(run, undefined, this) : run(this);
  }
}

/** Content that is decoded: what was received, if nothing has replaced it. */
export function contentOf({
  received: { delivery },
  replaced,
}: Pick<Work, 'received' | 'replaced'>): Content {
  if (replaced) return replaced;
  const { contentType, contentEncoding } = delivery.properties;
  return { body: delivery.body, contentType, contentEncoding };
}
