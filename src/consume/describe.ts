import type { QueueType, TopologyPlan } from '../topology/plan.js';
import type { Subscription } from './subscription.js';

/** What a bus is made of, as data: for tools that look at a broker on its behalf. */
export interface BusDescription {
  readonly service: string;
  readonly prefix: string;
  readonly delayPrefix: string;
  /** What it publishes to unless told otherwise. */
  readonly exchange: string;
  readonly queues: readonly QueueDescription[];
  /** What it declares in the broker, beside the delays that all applications share. */
  readonly plan: TopologyPlan;
}

export interface QueueDescription {
  readonly name: string;
  readonly type: QueueType;
  readonly deliveryLimit: number;
  readonly bindings: readonly BindingDescription[];
}

export interface BindingDescription {
  readonly exchange: string;
  /** False if the exchange belongs to someone else, and is only verified. */
  readonly declare: boolean;
  readonly pattern: string;
  /** Name of the handler that asks for it. */
  readonly handler: string;
}

export function describeQueue({ queue, type, deliveryLimit, handlers }: Subscription): QueueDescription {
  const bindings = handlers.flatMap(({ name: handler, routes }) =>
    routes.map(({ exchange, pattern }) => ({
      exchange: exchange.name,
      declare: exchange.declare,
      pattern,
      handler,
    })),
  );
  return { name: queue, type, deliveryLimit, bindings };
}
