import type { ExchangeRef } from '../../message/exchange-option.js';
import { planBus } from '../../topology/build.js';
import type { Names } from '../../topology/names.js';
import type { BusDescription, QueueDescription } from './bus-description.js';
import { type KeepingLimits, keptForMs, longHandlers, needsOf } from './long-handlers.js';
import type { Subscription } from './subscription.js';

/** What identifies a bus beside its handlers. */
interface BusIdentity {
  readonly service: string;
  readonly prefix: string;
  readonly delayPrefix: string;
  readonly names: Names;
  readonly exchange: ExchangeRef;
  /** It is to hear operators, if it has handlers. */
  readonly operatorControl: boolean;
  readonly timeoutGraceMs: number;
  readonly consumerTimeoutMs?: number;
}

export function describeBus(
  { service, prefix, delayPrefix, names, exchange, operatorControl, ...limits }: BusIdentity,
  subscriptions: readonly Subscription[],
): BusDescription {
  return {
    service,
    prefix,
    delayPrefix,
    exchange: exchange.name,
    queues: subscriptions.map((each) => describeQueue(each, limits)),
    operatorControl: operatorControl && subscriptions.length > 0,
    plan: planBus(names, { exchanges: [exchange], ...needsOf(subscriptions, service) }).own,
  };
}

function describeQueue(subscription: Subscription, limits: KeepingLimits): QueueDescription {
  const { queue, kind, type, deliveryLimit, maxPriority, handlers } = subscription;
  const lanes = subscription.lanes.map(({ name, queue: its }) => ({ name, queue: its }));
  const bindings = handlers.flatMap(({ name: handler, routes }) =>
    routes.map(({ exchange, pattern, binding }) => ({
      exchange: exchange.name,
      type: exchange.type ?? 'topic',
      declare: exchange.declare,
      pattern,
      ...(binding && { binding }),
      handler,
    })),
  );
  const isLong = longHandlers(subscription, limits).length > 0;
  return {
    name: queue,
    kind,
    lanes,
    type,
    deliveryLimit,
    maxPriority,
    keptForMs: isLong ? keptForMs(handlers, limits.timeoutGraceMs) : undefined,
    bindings,
  };
}
