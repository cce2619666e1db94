import type { ExchangeRef } from '../message/exchange-option.js';
import { duePatterns, planDelays, retryPattern } from './delays.js';
import { deadQueueOf, landingQueueOf, type Names } from './names.js';
import type { BindingPlan, BusTopology, ExchangePlan, QueueArguments, QueuePlan, QueueType } from './plan.js';

/** A queue and what leads to it, as the handlers ask for it. */
export interface QueueNeeds {
  readonly name: string;
  readonly type: QueueType;
  /** Failed deliveries after which the broker dead-letters by itself; quorum queues only. */
  readonly deliveryLimit: number;
  readonly bindings: readonly { readonly exchange: ExchangeRef; readonly pattern: string }[];
}

/** What a bus needs in the broker. The same handlers give the same plan, always. */
export function planBus(names: Names, publishTo: ExchangeRef, queues: readonly QueueNeeds[]): BusTopology {
  const exchanges = new Map<string, ExchangePlan>();
  const addExchange = ({ name, declare }: ExchangeRef) => {
    const known = exchanges.get(name);
    if (!known || known.verifyOnly)
      exchanges.set(name, { name, type: 'topic', ...(declare ? {} : { verifyOnly: true }) });
  };
  addExchange(publishTo);
  for (const { bindings } of queues) for (const { exchange } of bindings) addExchange(exchange);
  if (queues.length > 0) exchanges.set(names.dead, { name: names.dead, type: 'direct' });
  if (queues.some(needsLanding)) exchanges.set(names.land, { name: names.land, type: 'direct' });
  return {
    own: {
      exchanges: [...exchanges.values()],
      queues: queues.flatMap((queue) => queuesOf(names, queue)),
      bindings: queues.flatMap((queue) => bindingsOf(names, queue)),
    },
    delays: planDelays(names),
  };
}

/**
 * A delay level stalls while a target of its exists but can't take messages. Quorum queues are up whenever the levels
 * are; any other hangs on the delays through a quorum queue of its own, where only its own messages can stall.
 */
function needsLanding(queue: QueueNeeds): boolean {
  return queue.type === 'classic';
}

function queuesOf(names: Names, queue: QueueNeeds): QueuePlan[] {
  const plans: QueuePlan[] = [
    // Dead letters first: a queue may only name a dead-letter route that exists.
    {
      name: deadQueueOf(queue.name),
      arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 },
    },
    { name: queue.name, arguments: workArguments(names, queue) },
  ];
  if (needsLanding(queue)) {
    plans.push({
      name: landingQueueOf(queue.name),
      arguments: {
        'x-queue-type': 'quorum',
        'x-message-ttl': 0,
        'x-dead-letter-exchange': names.land,
        'x-dead-letter-routing-key': queue.name,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      },
    });
  }
  return plans;
}

function workArguments(names: Names, { name, type, deliveryLimit }: QueueNeeds): QueueArguments {
  const deadLetters = { 'x-dead-letter-exchange': names.dead, 'x-dead-letter-routing-key': name };
  if (type === 'classic') return { 'x-queue-type': 'classic', ...deadLetters };
  return {
    'x-queue-type': 'quorum',
    'x-delivery-limit': deliveryLimit,
    ...deadLetters,
    // Without both of these the broker may lose what it dead-letters.
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  };
}

function bindingsOf(names: Names, queue: QueueNeeds): BindingPlan[] {
  const bindings: BindingPlan[] = [];
  const bind = (source: string, destination: string, pattern: string) =>
    bindings.push({ source, destination, destinationType: 'queue', pattern });
  bind(names.dead, deadQueueOf(queue.name), queue.name);
  const delayed = needsLanding(queue) ? landingQueueOf(queue.name) : queue.name;
  if (needsLanding(queue)) bind(names.land, queue.name, queue.name);
  bind(names.delayOut, delayed, retryPattern(queue.name));
  for (const { exchange, pattern } of queue.bindings) {
    bind(exchange.name, queue.name, pattern);
    for (const due of duePatterns(exchange.name, pattern)) bind(names.delayOut, delayed, due);
  }
  return bindings;
}
