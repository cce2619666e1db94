import type { PendingPublish } from '../publish/pending-publish.js';

/** The part of a publish that says whether its exchange's youth matters. */
type Publish = Pick<PendingPublish, 'message' | 'address' | 'mustRoute'>;

/**
 * Time for which an exchange that was declared again counts as young: services that bind to it may still be
 * connecting.
 */
const YOUNG_MS = 60_000;

/**
 * After a lost connection another program may just have declared any exchange again, with its bindings still on
 * the way. This is the time that takes with some hundred queues.
 */
const AFTER_LOSS_MS = 5_000;

/**
 * Exchanges whose bindings may still be missing. Publishes to them are mandatory, and a returned event is kept
 * and sent again before it counts as one that no queue takes. Otherwise it would be confirmed and lost.
 *
 * Exchanges that are declared at a bus's start are not among them: a new broker can't be told from an emptied
 * one, and on a new one every event without a queue would have to wait.
 */
export class YoungExchanges {
  /** Monotonic milliseconds. */
  private readonly remadeUntil = new Map<string, number>();
  private allUntil = 0;
  /** True if there may be any: the only check for an ordinary publish. */
  private areThere = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Called for an exchange that was missing, or has just been declared and bound again. */
  remade(exchange: string): void {
    this.areThere = true;
    this.remadeUntil.set(exchange, this.now() + YOUNG_MS);
  }

  /** Called when a connection is back. */
  reconnected(): void {
    this.areThere = true;
    this.allUntil = this.now() + AFTER_LOSS_MS;
  }

  /** True if the message's exchange is young, so that a return means that no queue took it. */
  has(publish: Publish): boolean {
    return this.areThere && this.isYoung(publish.address.exchange) && !isDelayedByPlugin(publish);
  }

  /** True if the exchange has been missing during this session: owners of its bindings may not know yet. */
  wasRemade(exchange: string): boolean {
    const until = this.remadeUntil.get(exchange);
    return until !== undefined && this.now() < until;
  }

  /** True if a returned message is to be sent again; a `send` only if its queue may still be bound. */
  keeps(publish: Publish): boolean {
    return publish.mustRoute ? this.wasRemade(publish.address.exchange) : this.has(publish);
  }

  /** The default exchange is never young; and RabbitMQ 3.10 returns a mandatory reply that it delivers. */
  private isYoung(exchange: string): boolean {
    if (exchange === '') return false;
    const now = this.now();
    for (const [each, until] of this.remadeUntil) if (until <= now) this.remadeUntil.delete(each);
    const areAll = now < this.allUntil;
    this.areThere = areAll || this.remadeUntil.size > 0;
    return areAll || this.remadeUntil.has(exchange);
  }
}

/**
 * An exchange of type `x-delayed-message` takes a message with this header, but returns it if it is mandatory,
 * since it is routed later: sent again, it would arrive twice.
 * (https://github.com/rabbitmq/rabbitmq-delayed-message-exchange#limitations)
 */
function isDelayedByPlugin({ message }: Publish): boolean {
  return message.properties.headers?.['x-delay'] !== undefined;
}
