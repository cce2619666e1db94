import type { Arguments, ArgumentValue, ExchangeType } from '../message/exchange-option.js';
import type { QueueType } from './bus-topology.js';

/**
 * A topology as data, in the terms of a broker of AMQP: the exchanges, queues and bindings that must exist before
 * messages can flow. Planning is pure; the transport declares or verifies the plan.
 */

/** Exchange and routing key under which a message is written. */
export interface Address {
  readonly exchange: string;
  readonly routingKey: string;
}

export interface ExchangePlan {
  readonly name: string;
  readonly type: ExchangeType;
  readonly arguments?: Arguments | undefined;
  /** Exchange for messages that no binding takes. */
  readonly alternateExchange?: string;
  /** The exchange belongs to someone else: only check that it exists. */
  readonly verifyOnly?: boolean;
}

/** Queue arguments by their AMQP names. They can't be changed after the declaration: of Hopline's own nothing may be tunable. */
export interface QueueArguments {
  readonly [name: string]: ArgumentValue | undefined;
  /** Always set for a queue that is declared. */
  readonly 'x-queue-type'?: QueueType;
  readonly 'x-delivery-limit'?: number;
  /** Classic queues only: a quorum queue refuses it on every version. */
  readonly 'x-max-priority'?: number;
  readonly 'x-message-ttl'?: number;
  /** Milliseconds without a consumer after which the queue is deleted. */
  readonly 'x-expires'?: number;
  readonly 'x-max-length'?: number;
  readonly 'x-overflow'?: 'drop-head' | 'reject-publish' | 'reject-publish-dlx';
  readonly 'x-dead-letter-exchange'?: string;
  readonly 'x-dead-letter-routing-key'?: string;
  readonly 'x-dead-letter-strategy'?: 'at-most-once' | 'at-least-once';
  readonly 'x-queue-leader-locator'?: 'client-local' | 'balanced';
}

/** Durable, but for a queue that goes with its last consumer, where that is better. */
export interface QueuePlan {
  readonly name: string;
  readonly arguments: QueueArguments;
  /**
   * Priorities up to this one must be obeyed. A classic queue has an argument for it; a quorum queue has none,
   * so a transport whose broker can't do it refuses the plan.
   */
  readonly maxPriority?: number;
  /**
   * The queue goes with its last consumer. Who consumes it declares and binds it first, each time anew, in every mode of the topology:
   * at the start it may not be there, and nothing is wrong. @default false
   */
  readonly goesWithConsumer?: boolean;
  /** The queue belongs to someone else: only check that it exists. @default false */
  readonly verifyOnly?: boolean;
  /** Called if the queue has other arguments, and is used as it is: it was migrated. @default such a queue is refused */
  readonly ifDiffers?: (() => void) | undefined;
  /** The queue that was migrated to this one, or is being, as the options say it. @default it was never migrated */
  readonly migrated?: Pick<QueuePlan, 'name' | 'arguments'> | undefined;
}

export interface BindingPlan {
  readonly source: string;
  readonly destination: string;
  readonly destinationType: 'queue' | 'exchange';
  readonly pattern: string;
  readonly arguments?: Arguments | undefined;
}

/**
 * A queue that each process makes for itself, on the connection that consumes it, and that goes with that connection. It is classic:
 * the broker has no other kind of exclusive queue.
 */
export interface ProcessQueuePlan {
  /** What all of them are called before the word of its own that each has. */
  readonly name: string;
  /** Exchange of the messages that the broker gives up, which go there under {@link name}. */
  readonly deadExchange: string;
  readonly bindings: readonly ProcessQueueBinding[];
}

export interface ProcessQueueBinding {
  readonly source: string;
  readonly pattern: string;
  readonly arguments?: Arguments | undefined;
}

/** True for a queue that is there only while somebody consumes it. */
export const goesWithConsumer = (queue: QueuePlan): boolean => queue.goesWithConsumer === true;

/** The part of a plan that is there without consumers. */
export function lastingPart(plan: TopologyPlan): TopologyPlan {
  const { queues, bindings } = plan;
  const passing = new Set(queues.filter(goesWithConsumer).map(({ name }) => name));
  if (passing.size === 0) return plan;
  return {
    ...plan,
    queues: queues.filter(({ name }) => !passing.has(name)),
    bindings: bindings.filter(({ destination }) => !passing.has(destination)),
  };
}

/** What the consumer of this queue declares; undefined if the queue is no such queue of the plan. */
export function consumersPart({ queues, bindings }: TopologyPlan, name: string): ConsumersPart | undefined {
  const queue = queues.find((each) => each.name === name);
  if (!queue || !goesWithConsumer(queue)) return undefined;
  return { queue, bindings: bindings.filter(({ destination }) => destination === name) };
}

/** The queues of this name that each process makes for itself; undefined if it is not such a name. */
export const processQueueIn = (plans: readonly TopologyPlan[], name: string): ProcessQueuePlan | undefined =>
  plans.flatMap(({ processQueues = [] }) => processQueues).find((each) => each.name === name);

/** A queue that goes with its last consumer, and its bindings. */
export interface ConsumersPart {
  readonly queue: QueuePlan;
  readonly bindings: readonly BindingPlan[];
}

export interface TopologyPlan {
  readonly exchanges: readonly ExchangePlan[];
  readonly queues: readonly QueuePlan[];
  readonly bindings: readonly BindingPlan[];
  /** Queues that are not declared with the rest: each process makes its own when it consumes. @default none */
  readonly processQueues?: readonly ProcessQueuePlan[];
}

/** A plan that is the same for all buses, whose existence is shown by one exchange that is declared last. */
export interface SharedPlan extends TopologyPlan {
  readonly marker: ExchangePlan;
  /**
   * Address whose messages are stored in a quorum queue of the plan and then dropped: a publish to it shows
   * whether the broker still confirms.
   */
  readonly probe: Address;
}

/** All that a bus needs in a broker: its own part, and the delays that it shares with all others of the vhost. */
export interface BrokerTopology {
  readonly own: TopologyPlan;
  /** Missing when only an exchange is added later. */
  readonly delays?: SharedPlan | undefined;
}
