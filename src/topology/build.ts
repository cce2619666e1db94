import type { ExchangeRef } from '../message/exchange-option.js';
import { bindingKeyOf } from '../message/routing/binding-option.js';
import {
  type BindingNeeds,
  type BusTopology,
  exchangesOf,
  isKept,
  laneExchange,
  type QueueNeeds,
} from './bus-topology.js';
import { keptQueue, planControl, trashQueue } from './control.js';
import { duePatternsOf, planDelays, retryPattern } from './delays.js';
import { deadQueueOf, landingQueueOf, laneQueueOf, type Names } from './names.js';
import type { BindingPlan, BrokerTopology, ExchangePlan, QueueArguments, QueuePlan } from './plan.js';
import { planProcessQueue } from './process-queue.js';
import { mayBeFull } from './queue-arguments.js';

/** What a bus wants, as the exchanges, queues and bindings of a broker. The same bus always gives the same plan. */
export function planBus(names: Names, topology: BusTopology): BrokerTopology {
  const { queues, control, delays, guards, kept = [], trash = false } = topology;
  const exchanges = new Map<string, ExchangePlan>();
  for (const exchange of mergedExchanges(topology)) exchanges.set(exchange.name, exchangePlan(exchange));
  if (queues.some(isKept)) exchanges.set(names.dead, { name: names.dead, type: 'direct' });
  if (queues.some((queue) => needsLanding(queue) || isOfProcess(queue)))
    exchanges.set(names.land, { name: names.land, type: 'direct' });
  const operators = control ? planControl(names) : undefined;
  const processQueues = queues.filter(isOfProcess).map((queue) => planProcessQueue(names, queue));
  return {
    own: {
      exchanges: [...exchanges.values(), ...(operators?.exchanges ?? [])],
      queues: [
        ...queues.flatMap((queue) => queuesOf(names, queue)),
        ...(operators?.queues ?? []),
        ...kept.map(keptQueue),
        ...(trash ? [trashQueue(names)] : []),
        ...(guards === undefined ? [] : [guardsQueue(guards)]),
      ],
      bindings: [
        ...distinct(queues.flatMap((queue) => bindingsOf(names, queue))),
        ...(guards === undefined ? [] : [guardsBinding(names, guards)]),
      ],
      ...(processQueues.length > 0 ? { processQueues } : {}),
    },
    ...(delays ? { delays: planDelays(names) } : {}),
  };
}

/** Each exchange once: with what is said of it anywhere, and declared if anybody does. */
function mergedExchanges(topology: BusTopology): ExchangeRef[] {
  const merged = new Map<string, ExchangeRef>();
  for (const { name, declare, ...said } of exchangesOf(topology)) {
    const known = merged.get(name);
    merged.set(name, { ...said, ...known, name, declare: declare || known?.declare === true });
  }
  return [...merged.values()];
}

const exchangePlan = ({ name, type = 'topic', arguments: its, declare }: ExchangeRef): ExchangePlan => ({
  name,
  type,
  ...(its && { arguments: its }),
  ...(declare ? {} : { verifyOnly: true }),
});

/**
 * True if the delays need a queue of their own in front of this one. A delay level stalls while one of its
 * destinations exists but can't take messages. Quorum queues without a limit are available whenever the levels are. Any other
 * queue, and one of which only its owner knows what it is, is reached through a quorum queue of its own, where only its own messages can
 * stall.
 */
function needsLanding(queue: QueueNeeds): boolean {
  if (!isKept(queue) || isOfProcess(queue)) return false;
  return queue.type === 'classic' || isForeign(queue) || mayBeFull(queue.arguments);
}

const isForeign = ({ declare = true }: QueueNeeds): boolean => !declare;

/**
 * Milliseconds for which a queue of requests may be there without a consumer: a quorum queue, which can't be auto-delete, and a classic
 * one whose node has come back without it.
 */
const REQUESTS_EXPIRE_MS = 10_000;

function requestsQueue({ name, type, deliveryLimit, arguments: its }: QueueNeeds): QueuePlan {
  const limit = type === 'quorum' ? { 'x-delivery-limit': deliveryLimit } : {};
  return {
    name,
    arguments: { ...its, 'x-queue-type': type, ...limit, 'x-expires': REQUESTS_EXPIRE_MS },
    goesWithConsumer: true,
  };
}

/** Guards are taken and sent on again and again, and are given up by nobody but Hopline. */
const guardsQueue = (name: string): QueuePlan => ({
  name,
  arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 },
});

const guardsBinding = (names: Names, name: string): BindingPlan => ({
  source: names.delayOut,
  destination: name,
  destinationType: 'queue',
  pattern: retryPattern(name),
});

const isOfProcess = ({ kind }: QueueNeeds): boolean => kind === 'process';

/** Dead-letter queue first, one for all lanes: a queue may only name a dead-letter route that exists. */
function queuesOf(names: Names, queue: QueueNeeds): QueuePlan[] {
  if (!isKept(queue)) return [requestsQueue(queue)];
  const dead: QueuePlan = {
    name: deadQueueOf(queue.name),
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 },
  };
  return isOfProcess(queue)
    ? [dead]
    : [dead, ...queue.lanes.flatMap((lane) => laneQueuesOf(names, queue, lane))];
}

function laneQueuesOf(names: Names, queue: QueueNeeds, lane: string): QueuePlan[] {
  const name = laneQueueOf(queue.name, lane);
  const { maxPriority } = queue;
  const plans: QueuePlan[] = [
    isForeign(queue)
      ? { name, arguments: {}, verifyOnly: true }
      : {
          name,
          arguments: { ...queue.arguments, ...workArguments(names, name, queue) },
          ...(maxPriority === undefined ? {} : { maxPriority }),
        },
  ];
  if (needsLanding(queue)) {
    plans.push({
      name: landingQueueOf(name),
      arguments: {
        'x-queue-type': 'quorum',
        'x-message-ttl': 0,
        'x-dead-letter-exchange': names.land,
        'x-dead-letter-routing-key': name,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    });
  }
  return plans;
}

function workArguments(
  names: Names,
  name: string,
  { type, deliveryLimit, maxPriority }: QueueNeeds,
): QueueArguments {
  const deadLetters = { 'x-dead-letter-exchange': names.dead, 'x-dead-letter-routing-key': name };
  if (type === 'classic') {
    const priorities = maxPriority === undefined ? {} : { 'x-max-priority': maxPriority };
    return { 'x-queue-type': 'classic', ...priorities, ...deadLetters };
  }
  return {
    'x-queue-type': 'quorum',
    'x-delivery-limit': deliveryLimit,
    ...deadLetters,
    // Without these two arguments the broker may lose messages that it dead-letters.
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  };
}

function bindingsOf(names: Names, queue: QueueNeeds): BindingPlan[] {
  if (isOfProcess(queue)) return [deadLetterBinding(names, queue.name, queue.name)];
  return queue.lanes.flatMap((lane) => laneBindingsOf(names, queue, lane));
}

function laneBindingsOf(names: Names, queue: QueueNeeds, lane: string): BindingPlan[] {
  const name = laneQueueOf(queue.name, lane);
  const bindings: BindingPlan[] = [];
  const bind = (source: string, destination: string, pattern: string) =>
    bindings.push({ source, destination, destinationType: 'queue', pattern });
  if (!isKept(queue)) {
    for (const needs of queue.bindings) bindings.push(bindingOf(needs, needs.exchange.name, name));
    return bindings;
  }
  bindings.push(deadLetterBinding(names, queue.name, name));
  const delayed = needsLanding(queue) ? landingQueueOf(name) : name;
  if (needsLanding(queue)) bind(names.land, name, name);
  bind(names.delayOut, delayed, retryPattern(name));
  for (const needs of queue.bindings) {
    const source = laneExchange(needs.exchange, lane).name;
    bindings.push(bindingOf(needs, source, name));
    for (const due of duePatternsOf(needs, source)) bind(names.delayOut, delayed, due);
  }
  return bindings;
}

/** Several patterns may ask an exchange for the same: one that goes by no key. */
const distinct = (bindings: readonly BindingPlan[]): BindingPlan[] => [
  ...new Map(bindings.map((binding) => [JSON.stringify(binding), binding])).values(),
];

const bindingOf = (
  { exchange, pattern, binding }: BindingNeeds,
  source: string,
  destination: string,
): BindingPlan => ({
  source,
  destination,
  destinationType: 'queue',
  pattern: bindingKeyOf(exchange, pattern, binding),
  ...(binding?.arguments && { arguments: binding.arguments }),
});

const deadLetterBinding = (names: Names, queue: string, pattern: string): BindingPlan => ({
  source: names.dead,
  destination: deadQueueOf(queue),
  destinationType: 'queue',
  pattern,
});
