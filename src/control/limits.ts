import { OptionsError } from '../errors.js';
import type { SetLimit } from '../features/limits/limits-in-force.js';
import { RATE_FIELDS } from '../features/rate-limit/option.js';
import type { QueueState } from '../transport/operator-session.js';
import {
  didYouMean,
  type Fields,
  objectWith,
  positiveInteger,
  problemsOf,
  shortPlainText,
} from '../util/check.js';
import type { Clock } from '../util/clock.js';
import { type Duration, toMs } from '../util/duration.js';
import type { ControlAnswer } from './answer.js';
import type { Answers, Asking } from './asking.js';
import { limitedText } from './limit-text.js';
import type { Orders } from './orders.js';

/** Whose limits are meant: a handler's, or those of all handlers of a bucket. */
export type LimitTarget =
  | {
      readonly handler: string;
      /** @default the one queue that has a handler of this name */
      readonly queue?: string | undefined;
    }
  | { readonly bucket: string };

/** Limits in the place of the handlers' own. What is not said stays as it is. */
export interface LimitChange {
  /** Starts in any time of `every`, over all processes that share their stores. */
  readonly rate?: { readonly allow: number; readonly every: Duration } | undefined;
  /** Messages of the handler that run at once, in each process. */
  readonly concurrency?: number | undefined;
}

/** Result of a change of limits. */
export interface LimitResult {
  /** Answers in time, of the processes that have such a handler. */
  readonly processes: readonly ControlAnswer[];
  /** All limits that operators have set now. */
  readonly limits: readonly SetLimit[];
  /** What has changed: the limit as it is now, or as it was before it was cleared. */
  readonly changed: SetLimit;
}

/** @internal */
export interface LimitsParts {
  readonly asking: Asking;
  readonly orders: Orders;
  readonly clock: Clock;
  readonly waitMs: number;
  /** @throws OptionsError if there is no such queue */
  existing(queue: string): Promise<QueueState>;
}

const TARGET: Fields = { handler: shortPlainText, queue: shortPlainText, bucket: shortPlainText };
const CHANGE: Fields = { rate: objectWith(RATE_FIELDS), concurrency: positiveInteger };

/** The limits that operators set in the place of handlers' own: kept in the broker, and in force in all processes. */
export class Limits {
  /** @internal */
  constructor(private readonly parts: LimitsParts) {}

  /** Limits that are set. @throws ConnectError if another process that is stopped holds the orders */
  async list(): Promise<readonly SetLimit[]> {
    return (await this.parts.orders.read()).limits;
  }

  /**
   * Sets limits in all processes, also in those that start later, until {@link clear}.
   *
   * A handler that no process has is only taken with the name of its queue, which must be there.
   *
   * @throws OptionsError if there is no such handler, if several queues have one, or if it can't have the limit
   * @throws ControlError during an alarm, ConnectError if another process that is stopped holds the orders
   */
  async set(target: LimitTarget, change: LimitChange): Promise<LimitResult> {
    checked('limit', TARGET, target);
    checked('limit', CHANGE, change);
    const { rate, concurrency } = change;
    if (rate === undefined && concurrency === undefined)
      throw new OptionsError('limit', ['expected a rate, a concurrency, or both']);
    if ('bucket' in target && concurrency !== undefined)
      throw new OptionsError('limit', ['a bucket has a rate alone: set the concurrency of each handler']);
    const given = {
      ...(rate === undefined ? {} : { rate: { allow: rate.allow, everyMs: toMs(rate.every) } }),
      ...(concurrency === undefined ? {} : { concurrency }),
    };
    const named = await this.found(target, given);
    const since = this.parts.clock.now();
    return this.change(named, (limits) => {
      const before = limits.find((limit) => isSame(limit, named));
      const changed = { ...before, ...named, ...given, since };
      return { changed, limits: [...limits.filter((limit) => !isSame(limit, named)), changed] };
    });
  }

  /**
   * Ends what was set: the handlers' own limits are in force again.
   *
   * @throws as {@link set}, and OptionsError if nothing is set there
   */
  async clear(target: LimitTarget): Promise<LimitResult> {
    checked('limit', TARGET, target);
    const limits = await this.list();
    const [named, ...more] = limits.filter((limit) => isMeant(limit, target));
    if (named === undefined) throw nothingSet(target, limits);
    if (more.length > 0)
      throw severalQueues(
        'handler' in target ? target.handler : '',
        [named, ...more].flatMap(({ queue }) => queue ?? []),
      );
    return this.change(named, (all) => {
      const changed = all.find((limit) => isSame(limit, named));
      // Another operator has been faster.
      if (changed === undefined) throw nothingSet(target, all);
      return { changed, limits: all.filter((limit) => limit !== changed) };
    });
  }

  /** Target as the processes know it, which all agree to. */
  private async found(
    target: LimitTarget,
    { rate, concurrency }: Pick<SetLimit, 'rate' | 'concurrency'>,
  ): Promise<Pick<SetLimit, 'queue' | 'handler' | 'bucket'>> {
    const { asking, waitMs } = this.parts;
    const answers = await asking.ask({ ask: 'may-limit', ...target, rate, concurrency }, { waitMs });
    const problems = [...new Set(answers.flatMap(({ problem }) => problem ?? []))];
    const has = answers.flatMap(({ limited }) => limited ?? []);
    if (has.length === 0 && problems.length === 0) return this.unanswered(target);
    if ('handler' in target) {
      const queues = [...new Set(has.map(({ queue }) => queue))];
      if (queues.length > 1) throw severalQueues(target.handler, queues);
      if (problems.length === 0) return { handler: target.handler, queue: queues[0] };
    }
    if (problems.length > 0) throw new OptionsError('limit', problems);
    return target;
  }

  /** No process that answers has it: it may be one that doesn't run now. */
  private async unanswered(target: LimitTarget): Promise<Pick<SetLimit, 'queue' | 'handler'>> {
    const { asking, waitMs, existing } = this.parts;
    const answers = await asking.ask({ ask: 'status' }, { waitMs });
    const handlers = answers.flatMap(({ status }) => status?.handlers ?? []);
    if ('bucket' in target)
      throw nothingCalled(
        `bucket '${target.bucket}'`,
        target.bucket,
        handlers.flatMap(({ limits }) => limits?.rate?.bucket ?? []),
      );
    const { handler, queue } = target;
    const rivals = queue === undefined ? handlers : handlers.filter((each) => each.queue === queue);
    if (queue === undefined || rivals.length > 0)
      throw nothingCalled(
        queue === undefined ? `handler '${handler}'` : `handler '${handler}' of queue '${queue}'`,
        handler,
        rivals.map((each) => each.handler),
      );
    await existing(queue);
    return { handler, queue };
  }

  private async change(
    named: Pick<SetLimit, 'queue' | 'handler' | 'bucket'>,
    change: (limits: readonly SetLimit[]) => Pick<LimitResult, 'changed' | 'limits'>,
  ): Promise<LimitResult> {
    const { asking, orders, waitMs } = this.parts;
    const { queue, handler, bucket } = named;
    let changed: SetLimit | undefined;
    let said: Answers | undefined;
    const { limits } = await orders.change(
      async (before) => {
        const after = change(before.limits);
        changed = after.changed;
        return { ...before, limits: after.limits };
      },
      // Published within the lock, so that all workers hear the changes in the order in which they were written.
      async (after) => {
        said = await asking.say({ ask: 'limits', limits: after.limits, queue, handler, bucket }, { waitMs });
      },
    );
    return { processes: (await said?.answers) ?? [], limits, changed: changed as SetLimit };
  }
}

type Named = Pick<SetLimit, 'queue' | 'handler' | 'bucket'>;

const isSame = (limit: Named, { queue, handler, bucket }: Named): boolean =>
  limit.queue === queue && limit.handler === handler && limit.bucket === bucket;

const isMeant = (limit: Named, target: LimitTarget): boolean =>
  'bucket' in target
    ? limit.bucket === target.bucket
    : limit.handler === target.handler && (target.queue === undefined || limit.queue === target.queue);

function checked(what: string, fields: Fields, given: object): void {
  const problems = problemsOf(given, '', fields);
  if (problems.length > 0) throw new OptionsError(what, problems);
}

const nothingCalled = (what: string, name: string, all: readonly string[]): OptionsError => {
  const known = [...new Set(all)].sort();
  return new OptionsError('limit', [
    `no process has answered that has a ${what}${didYouMean(name, known) || `; there are ${known.join(', ') || 'none'}`}`,
  ]);
};

const severalQueues = (handler: string, queues: readonly string[]): OptionsError =>
  new OptionsError('limit', [
    `several queues have a handler '${handler}': name one of them, ${queues.join(', ')}`,
  ]);

const nothingSet = (target: LimitTarget, limits: readonly SetLimit[]): OptionsError =>
  new OptionsError('limit', [
    `no limit is set for ${limitedText(target)}; there are ${limits.map(limitedText).join(', ') || 'none'}`,
  ]);
