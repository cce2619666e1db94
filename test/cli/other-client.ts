import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';

/** Arguments by their names in the broker. */
export type Table = Readonly<Record<string, string | number | boolean>>;

export interface OthersVhost {
  /** By name: its type, and its arguments. */
  readonly exchanges: Readonly<Record<string, readonly [type: string, its?: Table]>>;
  /** By name: its arguments. */
  readonly queues: Readonly<Record<string, Table>>;
  readonly bindings: readonly (readonly [exchange: string, queue: string, key: string, its?: Table])[];
}

/** Another program of a vhost, with a plain client: it has made everything there, publishes, and consumes. */
export class OtherClient {
  private constructor(
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
  ) {}

  static async connect(url: string): Promise<OtherClient> {
    const connection = await connect(url);
    return new OtherClient(connection, await connection.createConfirmChannel());
  }

  async declare({ exchanges, queues, bindings }: OthersVhost): Promise<void> {
    const { channel } = this;
    for (const [name, [type, its = {}]] of Object.entries(exchanges))
      await channel.assertExchange(name, type, { arguments: { ...its } });
    for (const [name, its] of Object.entries(queues)) await channel.assertQueue(name, { arguments: its });
    for (const [exchange, queue, key, its = {}] of bindings)
      await channel.bindQueue(queue, exchange, key, its);
  }

  /** Resolves when the broker has confirmed it. */
  publish(exchange: string, key: string, content: unknown, headers: Table = {}): Promise<void> {
    const body = Buffer.from(JSON.stringify(content));
    return new Promise((resolve, reject) => {
      this.channel.publish(
        exchange,
        key,
        body,
        { persistent: true, contentType: 'application/json', headers },
        (error) => (error ? reject(error) : resolve()),
      );
    });
  }

  /** Takes one message at a time. */
  async consume(queue: string, handle: (content: unknown) => void): Promise<void> {
    const channel = await this.connection.createChannel();
    await channel.prefetch(1);
    await channel.consume(queue, (message) => {
      if (!message) return;
      handle(JSON.parse(message.content.toString()));
      channel.ack(message);
    });
  }

  /** Messages of a queue that wait. */
  async waiting(queue: string): Promise<number> {
    return (await this.channel.checkQueue(queue)).messageCount;
  }

  async close(): Promise<void> {
    await this.connection.close();
  }
}
