import { type Channel, type ChannelModel, connect } from 'amqplib';
import { readHeaders } from '../../src/transport/amqp/consume/header-reading.js';
import { frame, type WildMessage, wildHeader } from './wild-message.js';

interface Inside {
  rest: Buffer;
  recvFrame(): unknown;
  readonly stream: { write(bytes: Buffer): boolean };
}

/** A client that says of every octet what it is, and sees every octet: the libraries write only some types, and read fewer. */
export class TypedClient {
  /** Payloads of content headers that have come, the oldest first. */
  private readonly headers: Buffer[] = [];

  private constructor(
    private readonly model: ChannelModel,
    private readonly channel: Channel,
  ) {}

  static async connect(url: string): Promise<TypedClient> {
    const model = await connect(url);
    model.on('error', () => {}); // whoever waits for something is told
    const client = new TypedClient(model, await model.createChannel());
    // The library ends the connection at types that it doesn't know.
    readHeaders(model);
    const { inside } = client;
    const { recvFrame } = inside;
    inside.recvFrame = () => {
      const { rest } = inside;
      const end = rest[0] === 2 && rest.length > 7 ? 7 + rest.readUInt32BE(3) : Number.NaN;
      if (rest.length > end) client.headers.push(Buffer.from(rest.subarray(7, end)));
      return recvFrame.call(inside);
    };
    return client;
  }

  /** A queue of its own that gets what is published so. */
  async probe(exchange: string, pattern: string): Promise<string> {
    const { queue } = await this.channel.assertQueue('', { exclusive: true });
    await this.channel.bindQueue(queue, exchange, pattern);
    return queue;
  }

  /** Resolves when it is in its queues. */
  async publish(exchange: string, key: string, message: WildMessage): Promise<void> {
    const { ch } = this.channel as unknown as { ch: number };
    const short = (text: string) =>
      Buffer.concat([Buffer.from([Buffer.byteLength(text)]), Buffer.from(text)]);
    const method = [Buffer.from([0, 60, 0, 40, 0, 0]), short(exchange), short(key), Buffer.from([0])];
    this.inside.stream.write(
      Buffer.concat([
        frame(1, ch, Buffer.concat(method)),
        frame(2, ch, wildHeader(message)),
        ...parts(message.body).map((part) => frame(3, ch, part)),
      ]),
    );
    // A channel does one thing after the other.
    await this.channel.checkExchange(exchange);
  }

  /** The payload of the content header of the first message that waits, and its body; it is taken. */
  async take(queue: string): Promise<{ readonly header: Buffer; readonly body: Buffer } | undefined> {
    const message = await this.channel.get(queue, { noAck: true });
    if (!message) return undefined;
    return { header: this.headers.shift() as Buffer, body: message.content };
  }

  async close(): Promise<void> {
    await this.model.close();
  }

  private get inside(): Inside {
    return this.model.connection as unknown as Inside;
  }
}

/** As much as fits a frame of any broker's that is not set otherwise. */
function parts(body: Buffer): Buffer[] {
  const size = 100_000;
  return Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
}
