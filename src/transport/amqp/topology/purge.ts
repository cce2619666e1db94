import type { ChannelModel } from 'amqplib';
import { ConnectError, TopologyError } from '../../../errors.js';
import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import type { ChannelError } from '../connection/channel.js';

/** A queue without a leader answers when it has one again. */
const ANSWER_DEADLINE_MS = 10_000;

/** Deletes the waiting messages of a queue without delivering them. Needs permission to read the queue. */
export async function purgeQueue(model: ChannelModel, queue: string): Promise<number> {
  const deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS);
  return deadline.race(purge(model, queue), () => noAnswer(queue));
}

async function purge(model: ChannelModel, queue: string): Promise<number> {
  const channel = await model.createChannel().catch((cause) => {
    throw noAnswer(queue, cause);
  });
  channel.on('error', () => {}); // the request is rejected with this error's cause
  try {
    return (await channel.purgeQueue(queue)).messageCount;
  } catch (cause) {
    const { code, message } = cause as ChannelError;
    if (code === undefined) throw noAnswer(queue, cause);
    const what = `queue '${queue}' can't be emptied: ${message}`;
    const help = 'Check whether it exists, and give the user permission to read it.';
    throw new TopologyError(`queue '${queue}'`, what, help, { cause });
  } finally {
    channel.close().catch(() => {});
  }
}

function noAnswer(queue: string, cause?: unknown): ConnectError {
  return new ConnectError(
    `the broker did not say whether queue '${queue}' was emptied`,
    "Check whether the queue has a leader, and check the broker's load; try again when it is back.",
    { cause },
  );
}
