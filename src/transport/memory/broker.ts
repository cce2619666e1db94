import { PublishRejectedError, UnroutableError } from '../../errors.js';
import { PREDECLARED } from '../../message/exchange-option.js';
import type { Clock } from '../../util/clock.js';
import { Alarms } from './alarms.js';
import type { DeadLetters } from './dead-letters.js';
import { isCycle } from './death.js';
import { alternateOf, Exchange } from './exchanges/exchange.js';
import type { Queue, QueueHost } from './queue.js';
import { ReplyAddresses } from './replies/reply-addresses.js';
import type { StoredMessage } from './stored-message.js';
import { Turns } from './turns.js';

/** One vhost in this process: exchanges, queues, and the routing between them. */
export class Broker implements QueueHost {
  readonly exchanges = new Map<string, Exchange>();
  readonly queues = new Map<string, Queue>();
  readonly turns = new Turns();
  readonly replies = new ReplyAddresses(this.turns);
  readonly alarms: Alarms;
  readonly stalled = new Set<DeadLetters>();
  private users = 0;

  constructor(readonly clock: Clock) {
    this.alarms = new Alarms(clock);
    for (const [name, type] of PREDECLARED) {
      const exchange = Exchange.of({ name, type });
      if (exchange) this.exchanges.set(name, exchange);
    }
  }

  join(): void {
    this.users += 1;
    if (this.users === 1) this.alarms.wake();
  }

  leave(): void {
    this.users -= 1;
    if (this.users === 0) this.alarms.sleep();
  }

  /**
   * Stores the message in every queue to which it is routed.
   *
   * @throws UnroutableError if it is mandatory and no queue takes it
   * @throws PublishRejectedError if the exchange doesn't exist, or a queue is full and refuses; others may have
   * it then
   */
  publish(message: StoredMessage, mandatory: boolean): void {
    const { exchange, routingKey, properties } = message;
    if (exchange === '' && this.replies.deliver(routingKey, message)) return;
    const queues = this.route(message);
    if (!queues) {
      throw new PublishRejectedError(
        `the broker refuses '${routingKey}': NOT_FOUND - no exchange '${exchange}' in vhost '/'`,
        "Declare the exchange: name it as the bus's exchange, a handler's or a queue's, or let its owner start first.",
      );
    }
    if (mandatory && queues.size === 0) throw new UnroutableError(exchange, routingKey, properties.messageId);
    const full: string[] = [];
    for (const queue of queues) if (!queue.put(message)) full.push(queue.name);
    if (full.length > 0) {
      throw new PublishRejectedError(
        `the broker refuses '${routingKey}' on exchange '${exchange}': queue '${full.join("', '")}' is full`,
        'Publish it again when consumers have made room, or raise the limit of the queue.',
      );
    }
  }

  delete(queue: Queue): void {
    for (const exchange of this.exchanges.values()) exchange.unbind(queue);
    this.queues.delete(queue.name);
  }

  forward(letter: StoredMessage, mustArrive: boolean): boolean {
    const routed = this.route(letter) ?? [];
    const queues = [...routed].filter((queue) => !isCycle(letter.properties.headers, queue.name));
    if (mustArrive && (queues.length === 0 || !queues.every((queue) => queue.hasRoom))) return false;
    for (const queue of queues) queue.put(letter);
    return true;
  }

  /** Queue that gives its deliveries this name: that of a process is known to the broker by another. */
  queueNamed(name: string): Queue | undefined {
    return this.queues.get(name) ?? [...this.queues.values()].find((queue) => queue.name === name);
  }

  /** Tries again to route dead letters that found no queue. */
  topologyChanged(): void {
    for (const deadLetters of [...this.stalled]) deadLetters.retry();
  }

  /** Each queue once, however many bindings lead to it; undefined if the exchange does not exist. */
  private route(message: StoredMessage): Set<Queue> | undefined {
    if (message.exchange === '') return this.routeByQueueName(message.routingKey);
    const first = this.exchanges.get(message.exchange);
    if (!first) return undefined;
    const queues = new Set<Queue>();
    const exchanges = new Set([first]);
    // Iterating a set also visits items added meanwhile, and none twice.
    for (const exchange of exchanges) {
      const destinations = exchange.match(message);
      for (const destination of destinations) {
        if (destination instanceof Exchange) exchanges.add(destination);
        else queues.add(destination);
      }
      // Decided by this exchange's bindings alone: a bound exchange that leads nowhere counts as a destination.
      const alternate = destinations.size === 0 && alternateOf(exchange.plan);
      const next = alternate && this.exchanges.get(alternate);
      if (next) exchanges.add(next);
    }
    return queues;
  }

  /** The default exchange. */
  private routeByQueueName(name: string): Set<Queue> {
    const queue = this.queues.get(name);
    return new Set(queue ? [queue] : []);
  }
}
