import { formatMs } from '../util/duration.js';
import type { Logger } from '../util/logger.js';
import type { Subscription } from './subscription.js';

/**
 * How long RabbitMQ lets a consumer keep a message, unless its operator says otherwise
 * (https://www.rabbitmq.com/docs/consumers#acknowledgement-timeout). What this broker's operator says, AMQP doesn't tell.
 */
const BROKER_CONSUMER_TIMEOUT_MS = 30 * 60_000;

/** Warns of handlers that may run longer than the broker waits: it would deliver their message again while they run. */
export function warnOfLongHandlers(
  { queue, handlers }: Subscription,
  timeoutGraceMs: number,
  log: Logger,
): void {
  for (const { name, timeoutMs } of handlers) {
    if (timeoutMs + timeoutGraceMs <= BROKER_CONSUMER_TIMEOUT_MS) continue;
    log.warn(
      { queue, handler: name, timeout: formatMs(timeoutMs) },
      "a handler's timeout is longer than RabbitMQ's default consumer_timeout of 30 min: unless yours is set higher, the broker takes the message back and delivers it again while the handler still runs",
    );
  }
}
