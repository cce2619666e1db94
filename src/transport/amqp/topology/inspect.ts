import type { ChannelModel } from 'amqplib';
import { ConnectError, TopologyError } from '../../../errors.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { QueueState } from '../../operator-session.js';
import type { ChannelError } from '../connection/channel.js';

/** A queue without a leader leaves the question unanswered until it has one. */
const ANSWER_DEADLINE_MS = 10_000;

/**
 * State of a queue by a passive declare, on its own channel: the broker closes the channel if the queue does
 * not exist.
 */
export async function inspectQueue(model: ChannelModel, queue: string): Promise<QueueState | undefined> {
  const deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS);
  return deadline.race(ask(model, queue), () => noAnswer(queue));
}

async function ask(model: ChannelModel, queue: string): Promise<QueueState | undefined> {
  const channel = await model.createChannel().catch((cause) => {
    throw noAnswer(queue, cause);
  });
  channel.on('error', () => {}); // the question is rejected with this error's cause
  try {
    const { messageCount, consumerCount } = await channel.checkQueue(queue);
    return { ready: messageCount, consumers: consumerCount };
  } catch (cause) {
    const { code, message } = cause as ChannelError;
    if (code === 404) return undefined;
    if (code === undefined) throw noAnswer(queue, cause);
    throw new TopologyError(
      `queue '${queue}'`,
      `queue '${queue}' can't be read: ${message}`,
      'Check whether another connection owns it exclusively, or its node is down.',
      { cause },
    );
  } finally {
    channel.close().catch(() => {});
  }
}

function noAnswer(queue: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `the broker did not report the state of queue '${queue}'`,
    "Check whether the queue has a leader, and check the broker's load; try again when it is back.",
    { cause },
  );
}
