import { OptionsError } from '../../errors.js';
import { partConcurrency } from '../../features/concurrency/option.js';
import type { FeatureBus } from '../../features/feature.js';
import {
  type FeatureSettings,
  featureBusProblems,
  featureProblems,
  featureSettings,
  slotsNeeded,
} from '../../features/handler-features.js';
import { publishesOf } from '../../features/publishes/option.js';
import { timeoutMsOf } from '../../features/timeout/option.js';
import { isMessageDefinition } from '../../message/define-message.js';
import { type Arguments, type ExchangeRef, exchangeRef } from '../../message/exchange-option.js';
import type {
  Answers,
  BulkFunction,
  FailedFunction,
  HandlerFunction,
  PlannedHandler,
} from '../../pipeline/handler.js';
import { policyProblem, type RetryOptions, type RetryPolicy, retryPolicy } from '../../retry/policy.js';
import { type BodyOption, deserializerOf } from '../../serialization/body-option.js';
import type { Deserializer } from '../../serialization/serializer.js';
import type { QueueKind, QueueNeeds, QueueType } from '../../topology/bus-topology.js';
import type { SaidExchanges } from '../../topology/said-exchanges.js';
import { argumentsOf, isSingleActive } from './broker-queues.js';
import { classNameProblems } from './class-names.js';
import type { HandlerDefinition, HandlerOptions, QueueOptions } from './definition.js';
import { problemsOfDefinition } from './definition-problems.js';
import { eachProcessProblems, optionsOfEach } from './each-process.js';
import { saidOfExchanges } from './exchange-problems.js';
import { type Lane, lanesOf } from './lanes.js';
import { MAX_PREFETCH } from './limits.js';
import { kindOf, queueNameOf } from './queue-kinds.js';
import { declared, patternOf, queueProblems } from './queue-problems.js';

/** A handler with all its policies settled. */
export interface Handler extends PlannedHandler, FeatureSettings {
  readonly handle: HandlerFunction | BulkFunction;
  readonly failed: FailedFunction | undefined;
}

/** A queue with its bindings and handlers, and the lanes that stand for it in the broker. */
export interface Subscription {
  readonly queue: string;
  readonly kind: QueueKind;
  /** Name of the class that the queue is named after; undefined if the queue has a name of its own. */
  readonly namedAfter: string | undefined;
  /** Lanes in the order they are served; one, with the queue's own name, if it has none. */
  readonly lanes: readonly Lane[];
  readonly type: QueueType;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly deliveryLimit: number;
  readonly maxPriority: number | undefined;
  /** False for a queue that belongs to someone else. */
  readonly declare: boolean;
  readonly arguments: Arguments | undefined;
  /** The broker serves one consumer of it at a time. */
  readonly singleActive: boolean;
  readonly handlers: readonly Handler[];
}

/** Defaults of handlers and queues, and facts about the bus that their options are judged by. */
export interface SubscriptionDefaults extends FeatureBus {
  readonly service: string;
  readonly exchange: ExchangeRef;
  readonly concurrency: number;
  readonly retry: RetryOptions | undefined;
  readonly publishes?: 'now' | 'after' | undefined;
  /** Concurrency of every queue, whatever it says itself. */
  readonly slots?: number | undefined;
}

interface PlanDefaults extends SubscriptionDefaults {
  /** What is said of exchanges anywhere in the bus. */
  readonly said: SaidExchanges;
}

/**
 * Before RabbitMQ 4.3 each crash counts for all that was fetched, and it can't be changed once the queue is there: so it is a
 * net, far above what innocent messages meet.
 */
const DEFAULT_DELIVERY_LIMIT = 200;

/**
 * Groups handlers into the queues they share.
 *
 * @throws OptionsError with all problems of all handlers at once
 */
export function planSubscriptions(
  definitions: readonly HandlerDefinition[],
  defaults: SubscriptionDefaults,
): Subscription[] {
  const problems: string[] = [];
  const groups = new Map<string, HandlerDefinition[]>();
  for (const definition of definitions) {
    const own = problemsOfDefinition(definition);
    // What is wrong in itself can't be put together.
    const together = own.length === 0 ? policyProblem(policyOf(definition.options, defaults)) : undefined;
    problems.push(...own, ...(together ? [`${definition.name}: ${together}`] : []));
    if (own.length === 0)
      for (const problem of featureProblems(declared(definition), defaults))
        problems.push(`${definition.name}: ${problem}`);
    const queue = queueNameOf(definition, defaults.service);
    groups.set(queue, [...(groups.get(queue) ?? []), definition]);
  }
  problems.push(...classNameProblems(definitions, defaults.service));
  const exchanges = saidOfExchanges(groups, defaults.exchange);
  problems.push(...queueProblems(groups, defaults.exchange), ...exchanges.problems);
  problems.push(...eachProcessProblems(definitions, groups, defaults.service));
  if (problems.length === 0) problems.push(...featureBusProblems(definitions.map(declared)));
  if (problems.length > 0) throw new OptionsError('handlers', problems);
  const { said } = exchanges;
  return [...groups].map(([queue, group]) => subscriptionOf(queue, group, { ...defaults, said }));
}

/** The queue as the topology's planner sees it. */
export function queueNeeds(subscription: Subscription): QueueNeeds {
  const { queue, kind, lanes, type, deliveryLimit, maxPriority, declare, handlers } = subscription;
  return {
    name: queue,
    kind,
    lanes: lanes.map(({ name }) => name),
    type,
    deliveryLimit,
    maxPriority,
    bindings: declare ? handlers.flatMap(({ routes }) => routes) : [],
    ...(declare ? {} : { declare }),
    ...(subscription.arguments && { arguments: subscription.arguments }),
  };
}

/** True if any handler has this feature. */
export function hasFeature(name: keyof FeatureSettings, subscriptions: readonly Subscription[]): boolean {
  return subscriptions.some(({ handlers }) => handlers.some((handler) => handler[name] !== undefined));
}

function subscriptionOf(
  queue: string,
  group: readonly HandlerDefinition[],
  defaults: PlanDefaults,
): Subscription {
  // All of a group agree on what they say (checked), but not all say everything.
  const said: QueueOptions = Object.assign({}, ...group.map((definition) => definition.queue));
  const kind = kindOf(group[0] as HandlerDefinition);
  const options = kind === 'process' ? optionsOfEach(said) : said;
  const handlers = group.map((definition) => handlerOf(definition, { ...options, name: queue }, defaults));
  const wantedSlots = defaults.slots ?? options.concurrency ?? defaults.concurrency;
  const concurrency = Math.max(wantedSlots, slotsNeeded(handlers));
  const lanes = lanesOf(queue, options.lanes);
  // While a lane's messages fill the concurrency, its next ones must be here, or a lower lane would get their slots.
  const wanted = options.prefetch ?? concurrency * (lanes.length > 1 ? 2 : 1);
  return {
    queue,
    kind,
    namedAfter:
      kind === 'process'
        ? undefined
        : group.find((definition) => definition.queue.name === undefined)?.queue.ownName,
    lanes,
    type: options.type ?? (kind === 'requests' ? 'classic' : 'quorum'),
    concurrency,
    prefetch: Math.min(Math.max(wanted, concurrency), MAX_PREFETCH),
    deliveryLimit: options.deliveryLimit ?? DEFAULT_DELIVERY_LIMIT,
    maxPriority: options.maxPriority,
    declare: options.declare ?? true,
    arguments: argumentsOf(options),
    singleActive: isSingleActive(options),
    handlers,
  };
}

function handlerOf(
  definition: HandlerDefinition,
  queue: QueueOptions & { readonly name: string },
  defaults: PlanDefaults,
): Handler {
  const { options } = definition;
  const option = options.exchange ?? queue.exchange;
  const exchange = defaults.said.whole(option === undefined ? defaults.exchange : exchangeRef(option));
  const { concurrency, permits } = partConcurrency(options);
  const { concurrency: _asGiven, ...others } = options;
  return {
    name: definition.name,
    queue: queue.name,
    routes: definition.patterns.map((pattern) => ({
      pattern: patternOf(pattern),
      exchange,
      ...(options.binding && { binding: options.binding }),
      definition: isMessageDefinition(pattern) ? pattern : undefined,
    })),
    retry: definition.answers ? retryPolicy(ONCE) : policyOf(options, defaults),
    timeoutMs: timeoutMsOf(options, defaults),
    concurrency: concurrency ?? Number.POSITIVE_INFINITY,
    answers: answersOf(definition),
    each: options.each,
    handle: definition.handle,
    failed: definition.failed,
    ...featureSettings({
      ...others,
      ...(permits && { permits }),
      ...publishesOf(options, queue.publishes, defaults.publishes),
    }),
    body: bodyOf(options.body ?? queue.body),
  };
}

/** Policy of requests, whatever that of the bus is. */
const ONCE = { tries: 1 };

const answersOf = ({ answers }: HandlerDefinition): Answers | undefined =>
  answers && {
    request: answers.request,
    isRepeatable: answers.repeatable ?? false,
    showStack: answers.showStack ?? false,
  };

const bodyOf = (body: BodyOption | undefined): Deserializer | undefined =>
  body === undefined ? undefined : deserializerOf(body);

function policyOf({ retry, failOnTimeout }: HandlerOptions, defaults: SubscriptionDefaults): RetryPolicy {
  return retryPolicy({ ...retry, ...(failOnTimeout === undefined ? {} : { failOnTimeout }) }, defaults.retry);
}
