import type { Channel, ConsumeMessage } from 'amqplib';
import type { MessageProperties } from '../../../message/properties.js';
import type { Listener, Listening, ListenSource } from '../../operator-session.js';
import { openChannel, SupervisedChannel } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import { receivedProperties } from '../values.js';

/**
 * Listens to an exchange through an exclusive queue on its own channel. The queue is deleted with a lost
 * channel, and the next channel makes a new one. Nothing is acked: lost messages are lost.
 */
export class AmqpListener implements Listening {
  private readonly supervised: SupervisedChannel;
  private hasStarted = false;

  /** @param onFailed called when it can't listen at the moment; it tries again */
  constructor(
    connection: Connection,
    private readonly source: ListenSource,
    private readonly listener: Listener,
    onFailed: (error: Error) => void,
  ) {
    this.supervised = new SupervisedChannel(connection, {
      open: openChannel,
      setUp: (channel) => this.setUp(channel),
      lost: () => {},
      failed: onFailed,
      stableAfterMs: 5_000,
    });
  }

  async start(): Promise<void> {
    await this.supervised.start();
    this.hasStarted = true;
  }

  close(): Promise<void> {
    return this.supervised.close();
  }

  private async setUp(channel: Channel): Promise<void> {
    const { exchange, key, atMost, queueName } = this.source;
    const { queue } = await channel.assertQueue(queueName(), {
      exclusive: true,
      autoDelete: true,
      durable: false,
      ...(atMost === undefined ? {} : { maxLength: atMost }),
    });
    // Each queue is bound to the default exchange by its name, and can't be bound to it otherwise.
    if (exchange !== '') await channel.bindQueue(queue, exchange, key);
    // An exclusive queue excludes other connections; an exclusive consumer excludes other users of this one.
    await channel.consume(queue, (message) => this.onMessage(message), { noAck: true, exclusive: true });
    // Also for the first time, if the connection was lost during the start: messages may be missed then, too.
    if (this.hasStarted) this.listener.back();
  }

  private onMessage(message: ConsumeMessage | null): void {
    if (message) {
      const properties = receivedProperties(message.properties as MessageProperties);
      this.listener.heard({ body: message.content, properties });
    } else this.supervised.reopen(new Error('the broker cancelled the consumer'));
  }
}
