import type { Channel } from 'amqplib';
import type { ConsumersPart } from '../../../topology/plan.js';
import { brokerFeatures } from '../connection/broker-features.js';
import type { ChannelError } from '../connection/channel.js';
import { declareForConsumer } from '../topology/declare.js';

/** A queue that goes with its last consumer, as one consumer declares it before it consumes. */
export class PassingQueue {
  /** Undefined until it is known what is better on this broker. */
  private isDurable: boolean | undefined;

  constructor(private readonly part: ConsumersPart) {}

  /** @throws TopologyError; the broker has closed the channel then */
  readonly declare = async (channel: Channel): Promise<void> => {
    const isQuorum = this.part.queue.arguments['x-queue-type'] === 'quorum';
    const { forgetsTransient } = brokerFeatures(channel.connection.serverProperties);
    this.isDurable ??= isQuorum || !forgetsTransient;
    try {
      await declareForConsumer(channel, this.part, this.isDurable);
    } catch (error) {
      // While the nodes of a cluster are of several versions, a process that came by another node has made it otherwise.
      if (isOtherwise(error)) this.isDurable = !this.isDurable;
      throw error;
    }
  };

  /** True for an error after which the next try may succeed at once: the queue has gone meanwhile, or is there as another has made it. */
  static mayPass(error: unknown): boolean {
    return codeOf(error) === 404 || isOtherwise(error);
  }
}

/** The broker's code, also as the reason of an error of ours. */
function codeOf(error: unknown): number | undefined {
  const { code, cause } = error as ChannelError;
  return typeof code === 'number' ? code : (cause as ChannelError | undefined)?.code;
}

const isOtherwise = (error: unknown): boolean =>
  codeOf(error) === 406 && /inequivalent arg 'durable'/.test((error as Error).message);

/** How often a start declares a queue that has gone with another's last consumer. */
const TRIES_TO_MEET = 5;

/** Starts to consume a queue. Another process may leave one that goes with its last consumer between our declaring and our consuming it. */
export async function startMeeting(
  passing: PassingQueue | undefined,
  start: () => Promise<void>,
): Promise<void> {
  for (let left = passing ? TRIES_TO_MEET : 0; ; left -= 1) {
    try {
      return await start();
    } catch (error) {
      if (left === 0 || !PassingQueue.mayPass(error)) throw error;
    }
  }
}
