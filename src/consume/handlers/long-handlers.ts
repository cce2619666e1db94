import type { BrokerInfo } from '../../transport/transport.js';
import { formatMs } from '../../util/duration.js';
import type { Logger } from '../../util/logger.js';
import { LONGEST_WAIT_MS } from './limits.js';
import type { Handler, Subscription } from './subscription.js';

/**
 * Default of RabbitMQ's `consumer_timeout` (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout). The value that an
 * operator has set can't be read over AMQP.
 */
const BROKER_CONSUMER_TIMEOUT_MS = 30 * 60_000;

/** Time after the handler's end: its outcome is settled, and the broker looks once a minute. */
const MARGIN_MS = 5 * 60_000;

/** Milliseconds that the broker is asked to allow: a message may wait here, then run, and then be settled. */
export function keptForMs(handlers: readonly Pick<Handler, 'timeoutMs'>[], timeoutGraceMs: number): number {
  const longest = Math.max(0, ...handlers.map(({ timeoutMs }) => timeoutMs));
  return Math.max(BROKER_CONSUMER_TIMEOUT_MS, LONGEST_WAIT_MS + longest + timeoutGraceMs + MARGIN_MS);
}

/**
 * Handlers whose messages may be kept for longer than the broker waits by default: it counts from the delivery, so what
 * may run before them of what was fetched counts, too.
 */
export function longHandlers(
  {
    handlers,
    lanes,
    prefetch,
    concurrency,
  }: Pick<Subscription, 'handlers' | 'lanes' | 'prefetch' | 'concurrency'>,
  timeoutGraceMs: number,
): readonly Handler[] {
  return handlers.filter((handler) => {
    const { timeoutMs } = handler;
    const ahead = Math.ceil(prefetch / Math.min(concurrency, handler.concurrency)) - 1;
    const waitMs = lanes.length > 1 ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, ahead * timeoutMs);
    return waitMs + timeoutMs + timeoutGraceMs > BROKER_CONSUMER_TIMEOUT_MS;
  });
}

/** Warns of handlers that may run longer than the broker waits: it would deliver their message again while they run. */
export function warnOfLongHandlers(
  subscription: Subscription,
  timeoutGraceMs: number,
  timeoutBy: BrokerInfo['consumerTimeoutBy'],
  log: Logger,
): void {
  if (timeoutBy === 'consumer' || timeoutBy === 'nobody') return;
  const needed = keptForMs(subscription.handlers, timeoutGraceMs);
  const cure =
    timeoutBy === 'policy'
      ? `set the policy that \`hopline topology permissions\` prints ('consumer-timeout': ${needed})`
      : `set consumer_timeout = ${needed} in its rabbitmq.conf`;
  for (const { name, timeoutMs } of longHandlers(subscription, timeoutGraceMs)) {
    log.warn(
      { queue: subscription.queue, handler: name, timeout: formatMs(timeoutMs), keptFor: formatMs(needed) },
      `a handler may keep a message for longer than RabbitMQ's default consumer_timeout of 30 min: the broker then takes it back and delivers it again while the handler still runs. Unless yours waits longer, ${cure}; or take RabbitMQ 4.3, which is told`,
    );
  }
}
