import { OptionsError } from '../../errors.js';
import { type BatchSettings, batchSettings } from '../../features/bulk/bulk.js';
import { type FeatureSettings, featureSettings } from '../../features/features.js';
import { isMessageDefinition } from '../../message/define-message.js';
import { type ExchangeRef, exchangeRef } from '../../message/exchange-option.js';
import { type UniqueSettings, uniqueSettings } from '../../message/unique.js';
import type {
  BatchFunction,
  FailedFunction,
  HandlerFunction,
  PlannedHandler,
} from '../../pipeline/handler.js';
import { policyProblem, type RetryOptions, type RetryPolicy, retryPolicy } from '../../retry/policy.js';
import { type BodyOption, deserializerOf } from '../../serialization/body-option.js';
import type { Deserializer } from '../../serialization/serializer.js';
import type { QueueNeeds, QueueType } from '../../topology/bus-topology.js';
import { formatMs, toMs } from '../../util/duration.js';
import { MAX_PREFETCH } from '../intake/prefetch-window.js';
import { classNameProblems } from './class-names.js';
import type { HandlerDefinition, HandlerOptions, QueueOptions } from './definition.js';
import { problemsOfDefinition } from './definition-problems.js';
import { type Lane, lanesOf } from './lanes.js';
import { patternOf, queueProblems } from './queue-problems.js';

/** A handler with all its policies settled. */
export interface Handler extends PlannedHandler, FeatureSettings {
  readonly handle: HandlerFunction | BatchFunction;
  readonly failed: FailedFunction | undefined;
  readonly unique: UniqueSettings | undefined;
  /** Set if it takes many messages in one call. */
  readonly batch: BatchSettings | undefined;
}

/** A queue with its bindings and handlers, and the lanes that stand for it in the broker. */
export interface Subscription {
  readonly queue: string;
  /** The class that it is called after, since that names none. */
  readonly namedAfter: string | undefined;
  /** In the order they are served; one, with the queue's own name, if there are none. */
  readonly lanes: readonly Lane[];
  readonly type: QueueType;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly deliveryLimit: number;
  readonly maxPriority: number | undefined;
  readonly handlers: readonly Handler[];
}

/** What handlers and queues get that say nothing themselves. */
export interface SubscriptionDefaults {
  readonly service: string;
  readonly exchange: ExchangeRef;
  readonly concurrency: number;
  readonly retry: RetryOptions | undefined;
  readonly timeoutMs: number;
  /** Whether the bus's stores have inboxes. */
  readonly hasInbox: boolean;
  /** Without it, no handler can take encrypted messages. */
  readonly encryption?: object | undefined;
  /** Concurrency of every queue, whatever its own is. */
  readonly slots?: number | undefined;
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
    if (own.length === 0) problems.push(...batchProblems(definition, defaults));
    problems.push(...inboxProblems(definition, defaults));
    if (definition.options.encrypted && !defaults.encryption)
      problems.push(
        `${definition.name} takes encrypted messages only, so the bus needs encryption: { keys }`,
      );
    const queue = queueNameOf(definition, defaults.service);
    groups.set(queue, [...(groups.get(queue) ?? []), definition]);
  }
  problems.push(...classNameProblems(definitions, defaults.service));
  problems.push(...queueProblems(groups, defaults.exchange));
  if (problems.length > 0) throw new OptionsError('handlers', problems);
  return [...groups].map(([queue, group]) => subscriptionOf(queue, group, defaults));
}

/** The same, as the topology's planner wants to know it. */
export function queueNeeds(subscription: Subscription): QueueNeeds {
  const { queue, lanes, type, deliveryLimit, maxPriority, handlers } = subscription;
  return {
    name: queue,
    lanes: lanes.map(({ name }) => name),
    type,
    deliveryLimit,
    maxPriority,
    bindings: handlers.flatMap(({ routes }) => routes),
  };
}

/** Whether a handler works with one. */
export function hasInbox(subscriptions: readonly Subscription[]): boolean {
  return subscriptions.some(({ handlers }) => handlers.some(({ inbox }) => inbox !== undefined));
}

function queueNameOf({ queue }: HandlerDefinition, service: string): string {
  return queue.name ?? (queue.ownName ? `${service}.${queue.ownName}` : service);
}

function subscriptionOf(
  queue: string,
  group: readonly HandlerDefinition[],
  defaults: SubscriptionDefaults,
): Subscription {
  // All of a group agree on what they say (checked), but not all say everything.
  const options: QueueOptions = Object.assign({}, ...group.map((definition) => definition.queue));
  // Each message of a batch holds a slot: with fewer slots than messages a batch would never be full.
  const largest = Math.max(0, ...group.map((definition) => batchOf(definition)?.max ?? 0));
  const wantedSlots = defaults.slots ?? options.concurrency ?? defaults.concurrency;
  const concurrency = Math.max(wantedSlots, largest);
  const lanes = lanesOf(queue, options.lanes);
  // While a lane's messages fill the concurrency, its next ones must be here, or a lower lane would get their slots.
  const wanted = options.prefetch ?? concurrency * (lanes.length > 1 ? 2 : 1);
  return {
    queue,
    namedAfter: group.find((definition) => definition.queue.name === undefined)?.queue.ownName,
    lanes,
    type: options.type ?? 'quorum',
    concurrency,
    prefetch: Math.min(Math.max(wanted, concurrency), MAX_PREFETCH),
    deliveryLimit: options.deliveryLimit ?? DEFAULT_DELIVERY_LIMIT,
    maxPriority: options.maxPriority,
    handlers: group.map((definition) => handlerOf(definition, { ...options, name: queue }, defaults)),
  };
}

function handlerOf(
  definition: HandlerDefinition,
  queue: QueueOptions & { readonly name: string },
  defaults: SubscriptionDefaults,
): Handler {
  const { options } = definition;
  const option = options.exchange ?? queue.exchange;
  const exchange = option === undefined ? defaults.exchange : exchangeRef(option);
  return {
    name: definition.name,
    queue: queue.name,
    routes: definition.patterns.map((pattern) => ({
      pattern: patternOf(pattern),
      exchange,
      definition: isMessageDefinition(pattern) ? pattern : undefined,
    })),
    retry: policyOf(options, defaults),
    timeoutMs: timeoutOf(options, defaults),
    concurrency: options.concurrency ?? Number.POSITIVE_INFINITY,
    handle: definition.handle,
    failed: definition.failed,
    ...featureSettings(options),
    unique: options.unique && uniqueSettings(options.unique),
    encrypted: options.encrypted ?? false,
    body: bodyOf(options.body ?? queue.body),
    batch: batchOf(definition),
  };
}

const bodyOf = (body: BodyOption | undefined): Deserializer | undefined =>
  body === undefined ? undefined : deserializerOf(body);

function batchOf({ options: { batch } }: HandlerDefinition): BatchSettings | undefined {
  return batch === undefined ? undefined : batchSettings(batch);
}

function policyOf({ retry, failOnTimeout }: HandlerOptions, defaults: SubscriptionDefaults): RetryPolicy {
  return retryPolicy({ ...retry, ...(failOnTimeout === undefined ? {} : { failOnTimeout }) }, defaults.retry);
}

/** Slots that are too few for a batch are a problem that is reported; they are not raised in silence. */
function batchProblems(
  { name, queue, options }: HandlerDefinition,
  defaults: SubscriptionDefaults,
): string[] {
  if (options.batch === undefined) return [];
  const { max, withinMs } = batchSettings(options.batch);
  const problems: string[] = [];
  const slots = Math.min(queue.concurrency ?? max, options.concurrency ?? max);
  if (max > slots)
    problems.push(
      `${name}: expected batch.max to be at most the concurrency, ${slots}, since each message of a batch counts; got ${max}`,
    );
  const timeoutMs = timeoutOf(options, defaults);
  if (withinMs >= timeoutMs)
    problems.push(
      `${name}: expected batch.within to be shorter than the handler's timeout, ${formatMs(timeoutMs)}, since the time that a message waits for others counts; got ${formatMs(withinMs)}`,
    );
  return problems;
}

function timeoutOf({ timeout }: HandlerOptions, { timeoutMs }: SubscriptionDefaults): number {
  return timeout === undefined ? timeoutMs : toMs(timeout);
}

function inboxProblems(
  { name, options: { inbox, idempotent, batch } }: HandlerDefinition,
  { hasInbox }: SubscriptionDefaults,
): string[] {
  if (inbox === undefined) return [];
  const problems = [
    !hasInbox && "expected the bus's stores to have an inbox, as postgresStores() of hopline/postgres has",
    idempotent !== undefined && 'expected either inbox or idempotent, got both: an inbox is idempotent',
    batch !== undefined && 'expected either inbox or batch, got both: a transaction belongs to one message',
  ];
  return problems.filter((problem) => problem !== false).map((problem) => `${name}: ${problem}`);
}
