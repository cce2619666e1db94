import type { Channel, ConsumeMessage } from 'amqplib';
import type { MessageProperties } from '../../message/message.js';
import type { Listener, Listening, ListenSource } from '../transport.js';
import { openChannel, SupervisedChannel } from './channel.js';
import type { Connection } from './connection.js';
import { receivedProperties } from './values.js';

/**
 * Hears what an exchange says, through an exclusive queue on a channel of its own. A lost channel takes the queue along, and
 * the next one makes a new one. Nothing is acked: what is lost is lost.
 */
export class AmqpListener implements Listening {
  private readonly supervised: SupervisedChannel;
  private hasStarted = false;

  /** @param onFailed told when it can't hear at the moment; it is tried again */
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
    const { exchange, key, queueName } = this.source;
    const { queue } = await channel.assertQueue(queueName(), {
      exclusive: true,
      autoDelete: true,
      durable: false,
    });
    await channel.bindQueue(queue, exchange, key);
    // An exclusive queue keeps other connections out, an exclusive consumer who shares this one.
    await channel.consume(queue, (message) => this.onMessage(message), { noAck: true, exclusive: true });
    // Also for the first time, if the connection went while it started: it was away as well.
    if (this.hasStarted) this.listener.back();
  }

  private onMessage(message: ConsumeMessage | null): void {
    if (message) {
      const properties = receivedProperties(message.properties as MessageProperties);
      this.listener.heard({ body: message.content, properties });
    } else this.supervised.reopen(new Error('the broker cancelled the consumer'));
  }
}
