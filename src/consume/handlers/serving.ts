import { OptionsError } from '../../errors.js';
import { RETRY_FIELDS } from '../../retry/policy.js';
import {
  type Check,
  didYouMean,
  type Fields,
  objectWith,
  positiveDuration,
  positiveInteger,
  problemsOf,
  text,
} from '../../util/check.js';
import { type LaneOrder, strictOrder } from './lane-order.js';
import { type Lane, laneOrder } from './lanes.js';
import { MAX_PREFETCH } from './limits.js';
import type { ServeOptions } from './serve-options.js';
import type { Subscription } from './subscription.js';

/** Queues that share one group of slots. */
export interface Serving {
  readonly subscriptions: readonly Subscription[];
  /** In the order of the list, which `order` may follow. */
  readonly lanes: readonly ServedLane[];
  readonly concurrency: number;
  readonly order: LaneOrder;
}

/** One queue in the broker, and the subscription that it stands for. */
export interface ServedLane extends Lane {
  readonly subscription: Subscription;
}

const names: Check = {
  expected: 'a list of names, one at least',
  accepts: (value) => Array.isArray(value) && value.length > 0 && value.every((name) => text.accepts(name)),
};

const SERVE_FIELDS: Fields = {
  queues: names,
  lanes: names,
  concurrency: positiveInteger,
  retry: objectWith(RETRY_FIELDS),
  timeout: positiveDuration,
};

/** @throws OptionsError with all problems at once */
export function checkServeOptions(options: ServeOptions): void {
  const problems = problemsOf(options, '', SERVE_FIELDS);
  if (problems.length > 0) throw new OptionsError('start', problems);
}

/** @throws OptionsError for a queue or a lane that isn't there */
export function planServing(
  subscriptions: readonly Subscription[],
  { queues, lanes }: Pick<ServeOptions, 'queues' | 'lanes'>,
): Serving[] {
  const problems = [
    ...unknownNames(
      'queue',
      queues ?? [],
      subscriptions.map(({ queue }) => queue),
    ),
    ...unknownNames(
      'lane',
      lanes ?? [],
      subscriptions.flatMap((each) => each.lanes.map(({ name }) => name)),
    ),
  ];
  const chosen = queues
    ? queues.flatMap((name) => subscriptions.filter(({ queue }) => queue === name))
    : subscriptions;
  if (problems.length === 0) problems.push(...withoutLane(chosen, lanes));
  if (problems.length > 0) throw new OptionsError('start', problems);
  // What each process gets has slots of its own: it must neither wait for work, nor keep it waiting.
  const shared = queues ? chosen.filter(({ kind }) => kind !== 'process') : [];
  const alone = chosen.filter((each) => !shared.includes(each));
  const groups = [...(shared.length > 0 ? [shared] : []), ...alone.map((each) => [each])];
  return groups.map((group) => servingOf(group, lanes));
}

/**
 * Prefetch of one lane. While a lane fills all slots its next messages must be here, or a lane that is served later would
 * get their slots.
 *
 * @param slots current maximum of messages that run at once
 */
export function prefetchOf(
  { subscription }: ServedLane,
  { lanes, concurrency, subscriptions }: Serving,
  slots: number,
): number {
  const own = Math.ceil((subscription.prefetch * slots) / concurrency);
  const wanted = subscriptions.length === 1 ? own : Math.max(own, slots * (lanes.length > 1 ? 2 : 1));
  return Math.min(wanted, MAX_PREFETCH);
}

function servingOf(subscriptions: readonly Subscription[], lanes: readonly string[] | undefined): Serving {
  const [only] = subscriptions;
  return {
    subscriptions,
    lanes: subscriptions.flatMap((subscription) =>
      chosenLanes(subscription, lanes).map((lane) => ({ ...lane, subscription })),
    ),
    concurrency: Math.max(...subscriptions.map(({ concurrency }) => concurrency)),
    order: only && subscriptions.length === 1 && !lanes ? laneOrder(only.lanes) : strictOrder,
  };
}

function chosenLanes(subscription: Subscription, names: readonly string[] | undefined): readonly Lane[] {
  return names && subscription.kind !== 'process'
    ? names.flatMap((name) => subscription.lanes.filter((lane) => lane.name === name))
    : subscription.lanes;
}

/** What is wrong with names that somebody gives, as sentences: there is no such thing, or it is named twice. */
export function unknownNames(what: string, given: readonly string[], known: readonly string[]): string[] {
  const there = [...new Set(known)];
  return given
    .filter((name, index) => !there.includes(name) || given.indexOf(name) !== index)
    .map((name) =>
      there.includes(name)
        ? `${what} '${name}' is named twice`
        : `there is no ${what} '${name}'${didYouMean(name, there) || `; there are ${there.join(', ') || 'none'}`}`,
    );
}

function withoutLane(subscriptions: readonly Subscription[], lanes: readonly string[] | undefined): string[] {
  return subscriptions
    .filter((subscription) => chosenLanes(subscription, lanes).length === 0)
    .map(
      ({ queue, lanes: its }) =>
        `queue '${queue}' has none of these lanes; it has ${its.map(({ name }) => name).join(', ')}`,
    );
}
