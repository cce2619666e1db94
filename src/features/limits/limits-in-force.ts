import type { PlannedHandler } from '../../pipeline/handler.js';
import type { BulkSettings } from '../bulk/option.js';
import type { LimitRate, RateLimitSettings } from '../rate-limit/option.js';

/** What operators have set for a handler, or for a bucket of rate limits. */
export interface SetLimit {
  /** Queue and name of the handler; undefined for a bucket. */
  readonly queue?: string | undefined;
  readonly handler?: string | undefined;
  /** Name of the bucket; undefined for a handler. */
  readonly bucket?: string | undefined;
  /** Rate in place of the option's; undefined if that stays as it is. */
  readonly rate?: LimitRate | undefined;
  /** Maximum messages of the handler that run at once, in place of the option's; undefined if that stays as it is. */
  readonly concurrency?: number | undefined;
  /** When it was set, in wall-clock milliseconds. */
  readonly since: number;
}

/** Limits of one handler that are in force in a process: of its options, and what operators have set in their place. */
export interface HandlerLimits {
  readonly rate?: RateInForce | undefined;
  /** Maximum messages of the handler that run at once; undefined for those of its queue. */
  readonly concurrency?: number | undefined;
  /** When operators have set any of it, in wall-clock milliseconds; undefined if all of it is the handler's own. */
  readonly since?: number | undefined;
}

export interface RateInForce {
  /** Starts in any time of `everyMs`; undefined if the handler gives the number for each message. */
  readonly allow?: number | undefined;
  readonly everyMs: number;
  /** Limit that it shares with other handlers. */
  readonly bucket?: string | undefined;
  /** True if each key has a limit of its own. */
  readonly keyed: boolean;
}

/** A handler, as far as limits can be set for it. */
export type LimitedHandler = PlannedHandler & {
  readonly rateLimit: RateLimitSettings | undefined;
  readonly bulk: BulkSettings | undefined;
};

/** The limits that operators have set, for the handlers of one bus; what is not set is as the handlers' options say. */
export class LimitsInForce {
  private all: readonly SetLimit[] = [];

  /** @returns those of the handlers whose limits are others than before */
  replace<Handler extends LimitedHandler>(
    limits: readonly SetLimit[],
    handlers: readonly Handler[],
  ): Handler[] {
    const before = handlers.map((handler) => JSON.stringify(this.limitsOf(handler)));
    this.all = limits;
    return handlers.filter((handler, index) => JSON.stringify(this.limitsOf(handler)) !== before[index]);
  }

  /** Settings of the handler's rate limit; undefined if it has none. */
  rateLimitOf(handler: LimitedHandler): RateLimitSettings | undefined {
    const { rateLimit } = handler;
    const { rate } = this.rateSetFor(handler) ?? {};
    if (rate === undefined) return rateLimit;
    return { by: rateLimit?.by, bucket: rateLimit?.bucket, ...rate, isSet: true };
  }

  /** What operators have set in place of the handler's own number of messages at once; undefined if they have not. */
  concurrencyOf(handler: LimitedHandler): number | undefined {
    return this.setFor(handler)?.concurrency;
  }

  /** Undefined for a handler without limits. */
  limitsOf(handler: LimitedHandler): HandlerLimits | undefined {
    const settings = this.rateLimitOf(handler);
    const own = Number.isFinite(handler.concurrency) ? handler.concurrency : undefined;
    const concurrency = this.concurrencyOf(handler) ?? own;
    if (settings === undefined && concurrency === undefined) return undefined;
    const set = [this.rateSetFor(handler), this.setFor(handler)].flatMap((limit) => limit?.since ?? []);
    return {
      rate: settings && inForce(settings),
      concurrency,
      since: set.length === 0 ? undefined : Math.max(...set),
    };
  }

  private setFor(handler: LimitedHandler): SetLimit | undefined {
    return this.all.find((limit) => limit.bucket === undefined && isFor(limit, handler));
  }

  private rateSetFor(handler: LimitedHandler): SetLimit | undefined {
    if (handler.answers) return undefined;
    if (handler.rateLimit?.bucket === undefined) return this.setFor(handler);
    return this.all.find((limit) => limit.bucket !== undefined && isFor(limit, handler));
  }
}

/** True for a limit of this handler, or of the bucket that it takes its permits from. */
export function isFor(
  { queue, handler: name, bucket }: Pick<SetLimit, 'queue' | 'handler' | 'bucket'>,
  handler: LimitedHandler,
): boolean {
  if (bucket !== undefined) return handler.rateLimit?.bucket === bucket;
  return handler.name === name && (queue === undefined || handler.queue === queue);
}

/** Why a limit can't be in force for a handler, as a sentence; undefined if it can. */
export function limitProblem(
  { rate, bucket, concurrency }: Omit<SetLimit, 'since'>,
  { name, answers, rateLimit, bulk }: LimitedHandler,
): string | undefined {
  if (rate && answers)
    return `'${name}' answers requests, and a request over the limit could only wait, which its requester does not: limit its concurrency`;
  if (rate && bucket === undefined && rateLimit?.bucket !== undefined)
    return `'${name}' takes its permits from the bucket '${rateLimit.bucket}', which it shares with others: set the rate of the bucket`;
  if (concurrency !== undefined && bulk && concurrency < bulk.max)
    return `expected the concurrency of '${name}' to be at least ${bulk.max}, the messages that it takes in one call; got ${concurrency}`;
  return undefined;
}

const inForce = ({ allow, everyMs, bucket, by }: RateLimitSettings): RateInForce => ({
  allow: typeof allow === 'number' ? allow : undefined,
  everyMs,
  bucket,
  keyed: by !== undefined,
});
