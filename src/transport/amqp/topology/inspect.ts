import type { Channel, ChannelModel } from 'amqplib';
import { ConnectError, TopologyError } from '../../../errors.js';
import type { MessageProperties } from '../../../message/properties.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { Peeked, QueueState } from '../../operator-session.js';
import type { ChannelError } from '../connection/channel.js';
import type { Connections } from '../connection/connections.js';
import { notPossible, reachedLimit } from '../connection/limits.js';
import { receivedProperties } from '../values.js';

/** A queue without a leader leaves the question unanswered until it has one. */
const ANSWER_DEADLINE_MS = 10_000;

/**
 * State of a queue by a passive declare, on its own channel: the broker closes the channel if the queue does
 * not exist. One that is lost with its connection is asked for again on the next one.
 */
export async function inspectQueue(
  connections: Pick<Connections, 'live' | 'asked' | 'readable'>,
  queue: string,
): Promise<QueueState | undefined> {
  const deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS);
  for (let model = await connections.live(); ; ) {
    try {
      return await asked(model, queue, stateOf(queue), deadline);
    } catch (error) {
      const { model: now, lastLoss } = connections.asked;
      if (now === model || !(error instanceof ConnectError)) throw error;
      // The next connection would be lost, too.
      if (lastLoss && reachedLimit(lastLoss.message)) throw notPossible(unanswered(queue), lastLoss);
      const next = await connections.readable(deadline).catch(() => undefined);
      if (!next) throw error;
      model = next.model;
    }
  }
}

const stateOf = (queue: string) => async (channel: Channel) => {
  const { messageCount, consumerCount } = await channel.checkQueue(queue);
  return { ready: messageCount, consumers: consumerCount };
};

/** First message of a queue, got and returned before the channel closes: a closed channel's messages are charged. */
export const peekFirst = (model: ChannelModel, queue: string): Promise<Peeked | undefined> =>
  asked(model, queue, async (channel) => {
    const message = await channel.get(queue);
    if (!message) return undefined;
    channel.nack(message, false, true);
    // A quorum queue may miss what a channel sends right before it closes, and charge it with what it has in hand.
    await channel.checkQueue(queue);
    const { content, properties, fields } = message;
    return {
      body: content,
      properties: receivedProperties(properties as MessageProperties),
      exchange: fields.exchange,
    };
  });

/** The answer on a channel of its own; undefined if the queue does not exist. */
async function asked<T>(
  model: ChannelModel,
  queue: string,
  ask: (channel: Channel) => Promise<T | undefined>,
  deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS),
): Promise<T | undefined> {
  return deadline.race(onChannel(model, queue, ask), () => noAnswer(queue));
}

async function onChannel<T>(
  model: ChannelModel,
  queue: string,
  ask: (channel: Channel) => Promise<T>,
): Promise<T | undefined> {
  const channel = await model.createChannel().catch((cause) => {
    throw noAnswer(queue, cause);
  });
  channel.on('error', () => {}); // the question is rejected with this error's cause
  try {
    return await ask(channel);
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

const unanswered = (queue: string): string => `the broker did not report the state of queue '${queue}'`;

function noAnswer(queue: string, cause?: unknown): ConnectError {
  const help =
    "Check whether the queue has a leader, and check the broker's load; try again when it is back.";
  return new ConnectError(unanswered(queue), help, { cause });
}
