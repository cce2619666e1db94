import { type ChannelModel, connect } from 'amqplib';
import { defineRequest } from '../../src/index.js';
import type { PrivateNode } from '../support/broker/index.js';

export const Double = defineRequest<number, number>('number.double');

export interface Asked {
  readonly number: number;
  reply(): void;
}

/** A client of the protocol and nothing else, which replies as it is told. */
export class RawResponder {
  readonly asked: Asked[] = [];

  private constructor(private readonly connection: ChannelModel) {}

  static async start(
    node: PrivateNode,
    exchange: string,
    onAsked: (asked: Asked) => void = ({ reply }) => reply(),
  ): Promise<RawResponder> {
    const connection = await connect(node.url);
    connection.on('error', () => {});
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => {});
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, Double.key);
    const responder = new RawResponder(connection);
    await channel.consume(
      queue,
      (message) => {
        if (!message) return;
        const { replyTo, correlationId } = message.properties;
        const number = Number(JSON.parse(message.content.toString()));
        const asked = {
          number,
          reply: () => {
            channel.publish('', replyTo, Buffer.from(JSON.stringify(number * 2)), { correlationId });
          },
        };
        responder.asked.push(asked);
        onAsked(asked);
      },
      { noAck: true },
    );
    return responder;
  }

  stop(): Promise<void> {
    return this.connection.close().catch(() => {});
  }
}
