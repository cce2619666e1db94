import type { OutgoingMessage } from '../../message/message.js';

/** How long an exchange is young that had to be made again: those who bind to it may still be looking for the broker. */
const YOUNG_MS = 60_000;

/**
 * After a connection was lost every exchange may have been made again by somebody else a moment ago, and its bindings be under
 * way. As long as that takes with some hundred queues.
 */
const AFTER_LOSS_MS = 5_000;

/**
 * Exchanges whose bindings may not be there yet: what is published to them is published as mandatory, and an event that comes
 * back is kept and sent again, before it counts as one that nobody takes. Else it would be confirmed, and gone.
 *
 * Not those that are made when a bus starts: nobody can tell a new broker from one that was emptied, and on a new one every
 * event that nobody takes would have to wait.
 */
export class YoungExchanges {
  /** In milliseconds of the monotonic clock. */
  private readonly remadeUntil = new Map<string, number>();
  private allUntil = 0;
  /** There may be some: the one thing that is looked at for each publish. */
  private areThere = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** It was missing, or has just been made again and bound. */
  remade(exchange: string): void {
    this.areThere = true;
    this.remadeUntil.set(exchange, this.now() + YOUNG_MS);
  }

  /** A connection is there again. */
  reconnected(): void {
    this.areThere = true;
    this.allUntil = this.now() + AFTER_LOSS_MS;
  }

  /** Its exchange is young, and what comes back of it was not taken. */
  has(message: OutgoingMessage): boolean {
    return this.areThere && this.isYoung(message.exchange) && !isDelayedByPlugin(message);
  }

  /** It has been missing while this session knew it: whoever was bound to it may not know yet. */
  wasRemade(exchange: string): boolean {
    const until = this.remadeUntil.get(exchange);
    return until !== undefined && this.now() < until;
  }

  /** What came back is to be sent again. A `send` only if its queue may be on its way. */
  keeps(message: OutgoingMessage): boolean {
    return message.mandatory ? this.wasRemade(message.exchange) : this.has(message);
  }

  private isYoung(exchange: string): boolean {
    const now = this.now();
    for (const [each, until] of this.remadeUntil) if (until <= now) this.remadeUntil.delete(each);
    const areAll = now < this.allUntil;
    this.areThere = areAll || this.remadeUntil.size > 0;
    return areAll || this.remadeUntil.has(exchange);
  }
}

/**
 * An exchange of the type `x-delayed-message` takes what has this header, and gives it back all the same if it is mandatory, since it
 * is routed later: sent again, it would come twice.
 * (https://github.com/rabbitmq/rabbitmq-delayed-message-exchange#limitations)
 */
function isDelayedByPlugin({ properties }: OutgoingMessage): boolean {
  return properties.headers?.['x-delay'] !== undefined;
}
