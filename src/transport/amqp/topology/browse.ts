import type { Channel, ConsumeMessage } from 'amqplib';
import { ConnectError, HoplineError, TopologyError } from '../../../errors.js';
import type { MessageProperties } from '../../../message/properties.js';
import { pause, systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import { deferred } from '../../../util/deferred.js';
import type { Browsed } from '../../operator-session.js';
import { type ChannelError, openChannel } from '../connection/channel.js';
import type { Connection } from '../connection/connection.js';
import { liveOn } from '../connection/connections.js';
import { receivedProperties } from '../values.js';

export interface BrowseOptions {
  /** Messages that are wanted. */
  readonly most: number;
  /**
   * True to be served by classic queues alone, of a broker that charges a quorum queue's messages for being given back. The whole
   * channel's prefetch is limited then: quorum queues and streams refuse such a channel before they deliver anything (tried on 3.10.8
   * and 4.0.5).
   */
  readonly onlyClassic: boolean;
}

/** Deadline for a connection, and for all that is asked on it. */
const ANSWER_DEADLINE_MS = 10_000;

/** Interval at which a queue that delivers nothing more is asked whether it is empty. */
const LOOK_EVERY_MS = 100;

/** Time after which a queue that reports messages and delivers none counts as stalled. */
const STALLED_MS = 5_000;

/** Messages that are taken at most for the order of those that were given back before. */
const MOST_TAKEN = 2_000;

/**
 * First messages of a queue, on a connection that is opened for it and closed after it: a refusal closes it, and a message may end it.
 *
 * RabbitMQ 4.3 keeps what a quorum queue was given back in a line of its own before the others, and appends what comes back to that
 * line's end. So more are taken until one is among them that was never delivered: then the whole line is in hand, and comes back as it was.
 */
export async function browse(
  connection: Connection,
  queue: string,
  options: BrowseOptions,
): Promise<readonly Browsed[] | undefined> {
  const deadline = new Deadline(systemClock, ANSWER_DEADLINE_MS);
  try {
    await connection.connect(deadline);
    const lost = untilLost(connection);
    const looking = browseOn(await openChannel(liveOn(connection)), queue, options);
    return await deadline.race(Promise.race([looking, lost]), () => notDelivered(queue));
  } catch (cause) {
    const { code } = cause as ChannelError;
    if (code === 404) return undefined;
    throw explained(queue, cause as ChannelError);
  } finally {
    await connection.close(new Deadline(systemClock, ANSWER_DEADLINE_MS));
  }
}

/** Rejects with the broker's reason when the connection is lost. */
function untilLost(connection: Connection): Promise<never> {
  const lost = new Promise<never>((_, reject) => {
    const nothing = () => {};
    connection.listen({
      ...{ up: nothing, blocked: nothing, unblocked: nothing },
      down: (error) => reject(error),
    });
  });
  lost.catch(() => {}); // usually nobody waits for it any more
  return lost;
}

async function browseOn(
  channel: Channel,
  queue: string,
  { most, onlyClassic }: BrowseOptions,
): Promise<readonly Browsed[]> {
  channel.on('error', () => {}); // the request is rejected with this error's cause
  const taken = new Taken(channel, queue);
  try {
    await taken.take(most, onlyClassic);
    for (let more = 1; !onlyClassic && taken.mayBeSplit && taken.messages.length < MOST_TAKEN; more *= 2)
      if ((await taken.take(more, false)) === 0) break;
  } finally {
    await taken.giveBack();
  }
  return taken.messages.slice(0, most).map(browsed);
}

/** Messages that one channel holds. */
class Taken {
  readonly messages: ConsumeMessage[] = [];
  /** The last message of each consumer. */
  private readonly ends: ConsumeMessage[] = [];

  constructor(
    private readonly channel: Channel,
    private readonly queue: string,
  ) {}

  /** True if the last of them was given back before: others behind it may have been, too. */
  get mayBeSplit(): boolean {
    return this.messages.at(-1)?.fields.redelivered === true;
  }

  /**
   * Takes so many more, as far as they wait, and returns how many it has got.
   *
   * @param ofChannel limits the whole channel's prefetch instead of the consumer's
   */
  async take(most: number, ofChannel: boolean): Promise<number> {
    const { channel, queue, messages } = this;
    const before = messages.length;
    if ((await channel.checkQueue(queue)).messageCount === 0) return 0;
    await channel.prefetch(most, ofChannel);
    const full = deferred();
    const { consumerTag } = await channel.consume(queue, (message) => {
      if (message) messages.push(message);
      if (messages.length - before === most) full.resolve();
    });
    await this.untilFullOrLast(full.promise);
    await channel.cancel(consumerTag);
    const last = messages.at(-1);
    if (!last) throw notDelivered(queue);
    if (messages.length > before) this.ends.push(last);
    return messages.length - before;
  }

  /** Resolves when all are here, or no more come: none waits, or the queue does not deliver them. */
  private async untilFullOrLast(full: Promise<void>): Promise<void> {
    const { channel, queue, messages } = this;
    const isFull = full.then(() => true);
    for (let quietMs = 0; quietMs < STALLED_MS; quietMs += LOOK_EVERY_MS) {
      const seen = messages.length;
      if (await Promise.race([isFull, pause(systemClock, LOOK_EVERY_MS)])) return;
      if (messages.length > seen) quietMs = 0;
      // What is on its way here waits no more: it has come since the answer before.
      else if ((await channel.checkQueue(queue)).messageCount === 0 && quietMs > 0) return;
    }
  }

  /** To be called when no consumer is left. */
  async giveBack(): Promise<void> {
    const { channel, queue, ends } = this;
    if (ends.length === 0) return;
    // Of several consumers at once, the broker takes them back in any order.
    for (const end of ends) channel.nack(end, true, true);
    // A quorum queue may miss what a channel sends right before it closes, and charge it with what it has in hand.
    await channel.checkQueue(queue);
  }
}

const browsed = ({ content, properties, fields }: ConsumeMessage): Browsed => ({
  body: content,
  properties: receivedProperties(properties as MessageProperties),
  exchange: fields.exchange,
  routingKey: fields.routingKey,
  redelivered: fields.redelivered,
});

function explained(queue: string, cause: ChannelError): Error {
  if (cause instanceof HoplineError) return cause;
  if (/NOT_IMPLEMENTED/.test(cause.message))
    return new TopologyError(
      `queue '${queue}'`,
      `queue '${queue}' is no classic queue: before RabbitMQ 4.3 a look at its messages would count as a failed delivery of each`,
      `On a node of the broker it costs nothing: rabbitmq-queues peek --vhost VHOST ${queue} 1, then 2 and so on.`,
      { cause },
    );
  if (cause.code === undefined) return notDelivered(queue, cause);
  return new TopologyError(
    `queue '${queue}'`,
    `queue '${queue}' can't be read: ${cause.message}`,
    'Give the user permission to read it, and check whether a consumer has it exclusively.',
    { cause },
  );
}

const notDelivered = (queue: string, cause?: unknown): ConnectError =>
  new ConnectError(
    `queue '${queue}' does not deliver its messages`,
    'Check whether it has a leader, and whether it lets one consumer at a time have them (x-single-active-consumer).',
    { cause },
  );
