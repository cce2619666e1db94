import assert from 'node:assert/strict';
import type { BindingPlan, QueueArguments, TopologyPlan } from '../../../src/topology/plan.js';
import { referenceMatches } from '../reference-topic.js';

/** One way through a plan. */
export interface Walk {
  /** The exchange where it ends: nothing here is bound to it. */
  readonly end: string;
  /** TTLs of the queues on the way. */
  readonly ttlsMs: readonly number[];
}

/**
 * Follows a message through the delays as data, as the broker would: an exchange routes by its bindings, a queue keeps
 * until its TTL is over and dead-letters. Fails unless there is exactly one way on at every step.
 */
export class DelayWalker {
  private readonly bindings = new Map<string, BindingPlan[]>();
  private readonly queues: ReadonlyMap<string, QueueArguments>;

  constructor({ queues, bindings }: TopologyPlan) {
    this.queues = new Map(queues.map((queue) => [queue.name, queue.arguments]));
    for (const binding of bindings) {
      const known = this.bindings.get(binding.source);
      if (known) known.push(binding);
      else this.bindings.set(binding.source, [binding]);
    }
  }

  walk(from: string, routingKey: string): Walk {
    const ttlsMs: number[] = [];
    const visited = new Set<string>();
    let at = from;
    for (let way = this.bindings.get(at); way; way = this.bindings.get(at)) {
      // RabbitMQ drops what would go round in a cycle.
      assert.ok(!visited.has(at), `${routingKey} comes back to ${at}`);
      visited.add(at);
      const matching = way.filter(({ pattern }) => referenceMatches(pattern, routingKey));
      assert.equal(matching.length, 1, `${routingKey} has ${matching.length} ways on from exchange ${at}`);
      const { destination, destinationType } = matching[0] as BindingPlan;
      at = destinationType === 'exchange' ? destination : this.wait(destination, ttlsMs);
    }
    return { end: at, ttlsMs };
  }

  /** Where a queue's dead letters go, under their own key. */
  private wait(queue: string, ttlsMs: number[]): string {
    const args = this.queues.get(queue) ?? assert.fail(`queue ${queue} is not in the plan`);
    assert.equal(args['x-dead-letter-routing-key'], undefined);
    ttlsMs.push(args['x-message-ttl'] ?? assert.fail(`queue ${queue} keeps for ever`));
    return args['x-dead-letter-exchange'] ?? assert.fail(`queue ${queue} leads nowhere`);
  }
}
