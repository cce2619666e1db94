import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { ConnectError, TopologyError } from '../../../errors.js';
import type { MessageProperties } from '../../../message/properties.js';
import { pause, systemClock } from '../../../util/clock.js';
import type { Deadline } from '../../../util/deadline.js';
import type { Held } from '../../operator-session.js';
import { type ChannelError, openChannel } from '../connection/channel.js';
import { receivedProperties } from '../values.js';

/** Interval at which a waiting caller checks whether there is a message. */
const LOOK_EVERY_MS = 500;

/**
 * Takes the first message of a queue, on its own channel. It uses a consumer instead of `basic.get`: the queue
 * counts consumers, so that others who want the message can see that it is out, and wait for it.
 */
export async function holdFirst(
  model: ChannelModel,
  queue: string,
  deadline: Deadline,
): Promise<Held | undefined> {
  const opening = openChannel(model);
  // Closing the channel ends its consumer, and the broker takes its message back.
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
  channel.on('error', () => {}); // the request is rejected with this error's cause
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
 * Resolves when the awaited message is neither in the queue nor held by anyone: its holder has acked it, or the
 * queue was purged. Checked twice, since the message may be on its way here; and RabbitMQ 4.3 counts consumers
 * that are gone for a moment.
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
    // With room for another message the consumer would get the next one.
    await channel.cancel(fields.consumerTag);
    channel.ack(message);
    // A channel handles requests in order: this request is answered after the ack.
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

/** Some of the library's promises never settle if their channel is lost. */
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
    `queue '${queue}' can't be read: ${cause.message}`,
    `Declare it first, and give the user permission to read it.`,
    { cause },
  );
}

const late = (queue: string) => () => notHanded(queue);

function notHanded(queue: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `queue '${queue}' does not deliver its message`,
    "Find the process that holds it among the queue's consumers in the management UI: if it is stopped or busy, the message comes back when it goes on or its connection ends. Check also whether the queue has a leader.",
    { cause },
  );
}

function notAcked(queue: string, cause: unknown): ConnectError {
  return new ConnectError(
    `the channel was lost: the earlier message of queue '${queue}' may be back`,
    'Repeat it, and check the result.',
    { cause },
  );
}
