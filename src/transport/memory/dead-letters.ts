import type { QueuePlan } from '../../topology/plan.js';
import type { Clock } from '../../util/clock.js';
import { Line } from '../../util/line.js';
import type { Alarm, Alarms } from './alarms.js';
import { type DeathReason, deadLetter } from './death.js';
import type { StoredMessage } from './stored-message.js';

/** RabbitMQ's `dead_letter_worker_publisher_confirm_timeout`. */
const RETRY_MS = 180_000;

/** The part of a broker that a queue's dead letters use. */
export interface DeadLetterHost {
  readonly clock: Clock;
  readonly alarms: Alarms;
  /** Dead letters that wait for a route; they are told of changes of the topology. */
  readonly stalled: Set<DeadLetters>;
  /**
   * Routes a dead letter.
   *
   * @param mustArrive true to deliver it to all of its queues or none
   * @returns true if the sender can drop it
   */
  forward(letter: StoredMessage, mustArrive: boolean): boolean;
}

/** Dead-lettering of one queue's messages that expire, overflow, or fail too often. */
export class DeadLetters {
  private readonly atLeastOnce: boolean;
  private readonly waiting = new Line<StoredMessage>();
  private retryAlarm: Alarm | undefined;

  constructor(
    private readonly queue: QueuePlan,
    private readonly host: DeadLetterHost,
  ) {
    const args = queue.arguments;
    // With any other overflow RabbitMQ falls back to at-most-once, and says so only in its log.
    this.atLeastOnce =
      args['x-dead-letter-strategy'] === 'at-least-once' && args['x-overflow'] === 'reject-publish';
  }

  add(message: StoredMessage, reason: DeathReason): void {
    const exchange = this.queue.arguments['x-dead-letter-exchange'];
    if (exchange === undefined) return;
    const death = { queue: this.queue.name, reason, at: this.host.clock.now() };
    const letter = deadLetter(message, death, exchange, this.queue.arguments['x-dead-letter-routing-key']);
    if (!this.atLeastOnce) {
      this.host.forward(letter, false);
      return;
    }
    this.waiting.push(letter);
    // A dead letter that can't be routed blocks the others. RabbitMQ lets 32 of them accumulate first.
    if (!this.retryAlarm) this.forwardAll();
  }

  retry(): void {
    if (this.retryAlarm) this.host.alarms.cancel(this.retryAlarm);
    this.retryAlarm = undefined;
    this.host.stalled.delete(this);
    this.forwardAll();
  }

  private forwardAll(): void {
    for (let letter = this.waiting.first; letter; letter = this.waiting.first) {
      if (!this.host.forward(letter, true)) {
        this.host.stalled.add(this);
        this.retryAlarm = this.host.alarms.set(() => this.retry(), this.host.clock.monotonic() + RETRY_MS);
        return;
      }
      this.waiting.shift();
    }
  }
}
