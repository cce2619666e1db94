import type { Channel, ChannelModel } from 'amqplib';
import { TopologyError } from '../../../errors.js';
import type { ChannelError } from '../connection/channel.js';
import { refusedForeign } from './refused-to-consume.js';

type FoundType = 'classic' | 'quorum' | 'stream';

/**
 * A queue that belongs to someone else, as one consumer finds it: AMQP has no question for a queue's type, but the broker names it when it
 * refuses an argument that only streams have (tried on 3.10.8, 4.0.5 and 4.3.6). That costs a channel, and takes no message: a
 * stream, which accepts the argument, is asked for what comes next, and left at once.
 */
export class ForeignQueue {
  private type: FoundType | undefined;
  private looks = 0;

  constructor(private readonly queue: string) {}

  /** True if the broker counts its deliveries. */
  get counts(): boolean {
    return this.type === 'quorum';
  }

  /**
   * Looks at it on a live connection. Resolves with true if it is no first look: its owner may have made it anew, of another type, and
   * without our bindings.
   *
   * @throws TopologyError if it isn't there, can't be consumed by us, or is a stream
   */
  async look({ model }: { readonly model: ChannelModel | undefined }): Promise<boolean> {
    if (!model) return false;
    this.looks += 1;
    await this.lookOn(await model.createChannel());
    return this.looks > 1;
  }

  private async lookOn(channel: Channel): Promise<void> {
    const { queue } = this;
    channel.on('error', () => {}); // the question is rejected with this error's cause
    try {
      this.type = await typeOf(channel, queue);
    } catch (error) {
      throw refusedForeign(queue, error as ChannelError);
    } finally {
      channel.close().catch(() => {});
    }
    if (this.type === 'stream')
      throw new TopologyError(
        `queue '${queue}'`,
        `queue '${queue}' is a stream, of which each consumer keeps its own place: Hopline handles messages of queues`,
        'Have its owner bind a classic or a quorum queue to the same exchange, and consume that.',
      );
  }
}

async function typeOf(channel: Channel, queue: string): Promise<FoundType> {
  try {
    await channel.prefetch(1);
    await channel.consume(queue, () => {}, { arguments: { 'x-stream-offset': 'next' } });
    return 'stream';
  } catch (error) {
    const [, type] =
      /'x-stream-offset' .* of queue type rabbit_(classic|quorum)_queue/.exec((error as Error).message) ?? [];
    if (type === undefined) throw error;
    return type as FoundType;
  }
}
