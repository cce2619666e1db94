import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { ConnectError, TopologyError } from '../../errors.js';
import type { MessageProperties } from '../../message/message.js';
import { pause, systemClock } from '../../util/clock.js';
import type { Deadline } from '../../util/deadline.js';
import type { Held } from '../transport.js';
import { type ChannelError, openChannel } from './channel.js';
import { receivedProperties } from './values.js';

/** How often who waits for a message looks whether there is one. */
const LOOK_EVERY_MS = 500;

/**
 * Takes the first message of a queue, on a channel of its own. By a consumer, not by `basic.get`: the queue counts it, so
 * that who wants the message meanwhile can tell that it is out, and waits for it.
 */
export async function holdFirst(
  model: ChannelModel,
  queue: string,
  deadline: Deadline,
): Promise<Held | undefined> {
  const opening = openChannel(model);
  // With the channel goes its consumer, and the broker takes back what it had.
  const close = () => void opening.then((channel) => channel.close()).catch(() => {});
  try {
    const message = await deadline.race(take(await deadline.race(opening, late(queue)), queue), late(queue));
    if (!message) close();
    return message && heldOn(await opening, queue, message, close);
  } catch (cause) {
    close();
    throw explained(queue, cause as ChannelError);
  }
}

async function take(channel: Channel, queue: string): Promise<ConsumeMessage | undefined> {
  channel.on('error', () => {}); // its cause is what the request is rejected with
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  if (messageCount === 0 && consumerCount === 0) return undefined;
  await channel.prefetch(1);
  const looking = new AbortController();
  try {
    const gone = untilGone(channel, queue, looking.signal);
    return await whileOpen(channel, Promise.race([firstOf(channel, queue), gone]));
  } finally {
    looking.abort();
  }
}

/**
 * Resolves when the message that is waited for is neither there nor with anybody else: whoever had it has acked it, or the queue
 * was purged; RabbitMQ 4.3 also counts consumers for a moment that have gone. Seen so twice, since it may be on its way here.
 */
async function untilGone(channel: Channel, queue: string, signal: AbortSignal): Promise<undefined> {
  for (let seen = 0; seen < 2; ) {
    await pause(systemClock, LOOK_EVERY_MS, signal);
    const { messageCount, consumerCount } = await channel.checkQueue(queue);
    seen = messageCount === 0 && consumerCount <= 1 ? seen + 1 : 0;
  }
}

function firstOf(channel: Channel, queue: string): Promise<ConsumeMessage> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: ConsumeMessage | null) => {
      if (message) resolve(message);
      else reject(new Error('the broker cancelled the consumer'));
    };
    channel.consume(queue, onMessage).catch(reject);
  });
}

function heldOn(channel: Channel, queue: string, message: ConsumeMessage, close: () => void): Held {
  const { content, properties, fields } = message;
  const ack = async () => {
    // With room for another one its consumer would be handed that.
    await channel.cancel(fields.consumerTag);
    channel.ack(message);
    // A channel does one thing after the other: what comes after the ack is answered after it.
    await channel.checkQueue(queue);
  };
  return {
    body: content,
    properties: receivedProperties(properties as MessageProperties),
    ack: () =>
      whileOpen(channel, ack())
        .catch((cause) => {
          throw notAcked(queue, cause);
        })
        .finally(close),
    requeue: close,
  };
}

/** The library leaves some promises pending for ever when their channel goes. */
function whileOpen<T>(channel: Channel, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the channel was closed'));
    channel.once('close', gone);
    work.then(resolve, reject).finally(() => channel.off('close', gone));
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

const late = (queue: string) => () => notHanded(queue);

function notHanded(queue: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `queue '${queue}' does not hand out its message`,
    'Another process of Hopline may have it, and stand still (stopped, or busy): it comes back when that goes on or its connection ends; the consumers of the queue in the management UI name it. Look whether the queue has a leader, too.',
    { cause },
  );
}

function notAcked(queue: string, cause: unknown): ConnectError {
  return new ConnectError(
    `the message that queue '${queue}' had before may have come back to it: the channel was lost`,
    'Do it again, and look what counts then.',
    { cause },
  );
}
