import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { ConnectError, TopologyError } from '../../errors.js';
import type { MessageProperties } from '../../message/message.js';
import type { Deadline } from '../../util/deadline.js';
import type { Heard } from '../transport.js';
import type { ChannelError } from './channel.js';
import { receivedProperties } from './values.js';

/**
 * Takes the first message of a queue and gives it back, on a channel of its own. By a consumer, not by `basic.get`: the
 * queue counts it, so that who looks meanwhile can tell that the message is out, and waits for it.
 */
export async function peekAt(
  model: ChannelModel,
  queue: string,
  deadline: Deadline,
): Promise<Heard | undefined> {
  const channel = await model.createChannel().catch((cause) => {
    throw notHanded(queue, cause);
  });
  channel.on('error', () => {}); // its cause is what the request is rejected with
  try {
    return await deadline.race(take(channel, queue), () => notHanded(queue));
  } catch (cause) {
    throw explained(queue, cause as ChannelError);
  } finally {
    // With the consumer the broker takes back what was not given back.
    channel.close().catch(() => {});
  }
}

async function take(channel: Channel, queue: string): Promise<Heard | undefined> {
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  if (messageCount === 0 && consumerCount === 0) return undefined;
  await channel.prefetch(1);
  const { content, properties } = await firstOf(channel, queue);
  return { body: content, properties: receivedProperties(properties as MessageProperties) };
}

function firstOf(channel: Channel, queue: string): Promise<ConsumeMessage> {
  return new Promise((resolve, reject) => {
    channel.once('close', () => reject(new Error('the channel was closed')));
    const onMessage = (message: ConsumeMessage | null) => {
      if (message) resolve(message);
      else reject(new Error('the broker cancelled the consumer'));
    };
    channel.consume(queue, onMessage).catch(reject);
  });
}

function explained(queue: string, cause: ChannelError): Error {
  if (cause instanceof ConnectError) return cause;
  if (cause.code === undefined) return notHanded(queue, cause);
  return new TopologyError(
    `queue '${queue}'`,
    `queue '${queue}' can't be looked at: ${cause.message}`,
    `Declare it first, and give the user the right to read it.`,
    { cause },
  );
}

function notHanded(queue: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `queue '${queue}' does not hand out its message`,
    'Look whether it has a leader, and whether another program consumes it.',
    { cause },
  );
}
