import type { EventEmitter } from 'node:events';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';
import { eventually } from './eventually.js';
import { type TaggedProperties, taggedProperties } from './tagged-properties.js';

/** A message as it lies in a queue, nothing of it read by a client library. */
export interface RawMessage extends TaggedProperties {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
}

const FRAME_HEADER_BYTES = 7;
const CONTENT_HEADER = 2;

/**
 * A channel on a connection of its own, which gives messages with the tags that their headers had on the wire: the client
 * library settles and counts, and what it makes of the headers is not used.
 */
export class RawChannel {
  private rest: Buffer = Buffer.alloc(0);
  private readonly contentHeaders: Buffer[] = [];

  private constructor(
    private readonly connection: ChannelModel,
    readonly channel: ConfirmChannel,
  ) {
    const { stream } = connection.connection as unknown as { stream: EventEmitter };
    // Told of each chunk just before the library reads it.
    stream.on('data', (chunk: Buffer) => this.take(chunk));
  }

  static async open(url: string): Promise<RawChannel> {
    const connection = await connect(url);
    connection.on('error', () => {});
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    return new RawChannel(connection, channel);
  }

  /** A queue that goes with the connection and takes what this exchange gets under this pattern. */
  async tap(exchange: string, pattern: string): Promise<string> {
    const { queue } = await this.channel.assertQueue('', { exclusive: true });
    await this.channel.bindQueue(queue, exchange, pattern);
    return queue;
  }

  /** Waits for so many messages. They are out of the queue then. */
  taken(queue: string, count: number): Promise<RawMessage[]> {
    return this.get(queue, count, true);
  }

  /** The same, but they lie in the queue again when this channel is closed. */
  look(queue: string, count: number): Promise<RawMessage[]> {
    return this.get(queue, count, false);
  }

  close(): Promise<void> {
    return this.connection.close().catch(() => {});
  }

  private async get(queue: string, count: number, noAck: boolean): Promise<RawMessage[]> {
    const messages: RawMessage[] = [];
    while (messages.length < count)
      messages.push(await eventually(() => this.next(queue, noAck), { timeout: 20_000 }));
    return messages;
  }

  private async next(queue: string, noAck: boolean): Promise<RawMessage | false> {
    this.contentHeaders.length = 0;
    const message = await this.channel.get(queue, { noAck });
    if (!message) return false;
    const [payload] = this.contentHeaders;
    if (!payload) throw new Error('a message has come without a content header');
    const { exchange, routingKey } = message.fields;
    return { exchange, routingKey, body: message.content, ...taggedProperties(payload) };
  }

  private take(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + this.rest.readUInt32BE(3);
      if (this.rest.length <= end) return;
      if (this.rest[0] === CONTENT_HEADER)
        this.contentHeaders.push(this.rest.subarray(FRAME_HEADER_BYTES, end));
      this.rest = this.rest.subarray(end + 1);
    }
  }
}
