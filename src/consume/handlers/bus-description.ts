import type { ExchangeType } from '../../message/exchange-option.js';
import type { BindingOption } from '../../message/routing/binding-option.js';
import type { QueueKind, QueueType } from '../../topology/bus-topology.js';
import type { TopologyPlan } from '../../topology/plan.js';

/** What a bus is made of, as data: for tools that look at a broker on its behalf. */
export interface BusDescription {
  readonly service: string;
  readonly prefix: string;
  readonly delayPrefix: string;
  /** What it publishes to unless told otherwise. */
  readonly exchange: string;
  readonly queues: readonly QueueDescription[];
  /** True if it takes requests of operators, through exchanges and a queue that it declares beside its plan. */
  readonly operatorControl: boolean;
  /** What it declares in the broker, beside the delays that all applications share. */
  readonly plan: TopologyPlan;
}

export interface QueueDescription {
  /** Of the kind `process`, what its dead letters' queue is named after, and the queue of each process, with a word of its own behind. */
  readonly name: string;
  readonly kind: QueueKind;
  /** The queues that stand for it in the broker, in the order in which they are served; itself as the only one without lanes. */
  readonly lanes: readonly { readonly name: string; readonly queue: string }[];
  readonly type: QueueType;
  readonly deliveryLimit: number;
  readonly maxPriority: number | undefined;
  /**
   * How long the broker has to let a consumer keep a message of it, in milliseconds; undefined if the 30 minutes are enough that
   * it does by default.
   */
  readonly keptForMs: number | undefined;
  readonly bindings: readonly BindingDescription[];
}

export interface BindingDescription {
  readonly exchange: string;
  /** Type of the exchange. */
  readonly type: ExchangeType;
  /** False if the exchange belongs to someone else, and is only verified. */
  readonly declare: boolean;
  readonly pattern: string;
  /** How the exchange is asked, where that is not by the pattern. */
  readonly binding?: BindingOption;
  /** Name of the handler that asks for it. */
  readonly handler: string;
}
