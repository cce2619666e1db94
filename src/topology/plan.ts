/**
 * A topology as data: what has to exist in the broker before messages can flow. Planning is pure; a transport's
 * declare step makes it true, or verifies it.
 */

export interface ExchangePlan {
  readonly name: string;
  readonly type: 'topic' | 'direct' | 'fanout';
  /** Where what no binding takes goes. */
  readonly alternateExchange?: string;
  /** It belongs to someone else: only check that it exists. */
  readonly verifyOnly?: boolean;
}

export type QueueType = 'quorum' | 'classic';

/** Queue arguments by their AMQP names. All are immutable in the broker: nothing in here may be tunable. */
export interface QueueArguments {
  readonly 'x-queue-type': QueueType;
  readonly 'x-delivery-limit'?: number;
  /** Classic queues only: a quorum queue refuses it on every version. */
  readonly 'x-max-priority'?: number;
  readonly 'x-message-ttl'?: number;
  readonly 'x-max-length'?: number;
  readonly 'x-overflow'?: 'drop-head' | 'reject-publish';
  readonly 'x-dead-letter-exchange'?: string;
  readonly 'x-dead-letter-routing-key'?: string;
  readonly 'x-dead-letter-strategy'?: 'at-most-once' | 'at-least-once';
  readonly 'x-queue-leader-locator'?: 'client-local' | 'balanced';
}

/** Durable always. */
export interface QueuePlan {
  readonly name: string;
  readonly arguments: QueueArguments;
  /**
   * Message priorities up to this one are to be heeded. For a classic queue its argument says it too; for a quorum queue
   * there is no argument, so a transport whose broker can't do it refuses the plan.
   */
  readonly maxPriority?: number;
}

export interface BindingPlan {
  readonly source: string;
  readonly destination: string;
  readonly destinationType: 'queue' | 'exchange';
  readonly pattern: string;
}

export interface TopologyPlan {
  readonly exchanges: readonly ExchangePlan[];
  readonly queues: readonly QueuePlan[];
  readonly bindings: readonly BindingPlan[];
}

/** A plan that is the same for everybody, so that its being there is told by one exchange, declared last. */
export interface SharedPlan extends TopologyPlan {
  readonly marker: ExchangePlan;
  /** Where a message is stored by a quorum queue of it, and then forgotten: it shows that the broker still confirms. */
  readonly probe: { readonly exchange: string; readonly routingKey: string };
}

/** What a bus needs: its own part, and the delays it shares with all others in the vhost. */
export interface BusTopology {
  readonly own: TopologyPlan;
  /** Left out when only an exchange is added later. */
  readonly delays?: SharedPlan;
}

/** `declare` makes it, `verify` checks passively and needs no configure permission, `none` trusts. */
export type TopologyMode = 'declare' | 'verify' | 'none';
