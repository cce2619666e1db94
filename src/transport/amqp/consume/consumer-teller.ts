import { TopologyError } from '../../../errors.js';
import type { SessionOptions } from '../../transport.js';
import type { ChannelError } from '../connection/channel.js';
import type { AmqpConsumerOptions } from './consumer-options.js';
import { refusedToConsume } from './refused-to-consume.js';

type Teller = Pick<
  AmqpConsumerOptions,
  'onStarted' | 'onLost' | 'onCancelled' | 'onRestored' | 'onReopened' | 'onFailed'
>;

/**
 * Reports to a bus, and its log, what becomes of a consumer.
 *
 * @param refused the broker's refusal, with advice
 */
export function consumerTeller(
  queue: string,
  { service, events, log }: Pick<SessionOptions, 'service' | 'events' | 'log'>,
  refused: (queue: string, error: ChannelError) => Error = refusedToConsume,
): Teller {
  return {
    onStarted: () => events.emit('consumer.started', { service, queue }),
    onLost: (error) => events.emit('consumer.lost', { service, queue, error }),
    onCancelled: (reason) => {
      log.warn({ queue, reason }, 'a consumer was cancelled; the queue is declared and consumed again');
      events.emit('consumer.cancelled', { service, queue, reason });
    },
    onRestored: () => events.emit('consumer.restored', { service, queue }),
    onReopened: (error) => {
      log.warn(
        { queue, error },
        isConsumerTimeout(error)
          ? "a message was kept longer than the broker's consumer_timeout: its channel was closed and opened again, and what it had not settled is delivered again"
          : 'a channel died and was opened again; what it had not settled is delivered again',
      );
      events.emit('channel.reopened', { service, channel: queue, error });
    },
    onFailed: (error) => {
      log.warn({ queue, error }, 'a queue cannot be consumed at the moment; trying again');
      const why = refused(queue, error);
      events.emit('consumer.failed', { service, queue, error: why });
      if (error instanceof TopologyError || error.code === 403)
        events.emit('topology.failed', { service, error: why });
    },
  };
}

/** RabbitMQ's words before 4.3; later versions cancel the consumer of a quorum queue instead. */
const isConsumerTimeout = ({ message }: Error) => /delivery acknowledgement .*timed out/.test(message);
