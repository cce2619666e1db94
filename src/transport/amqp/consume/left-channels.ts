import type { Channel } from 'amqplib';
import { pause, systemClock } from '../../../util/clock.js';
import type { SupervisedChannel } from '../connection/channel.js';
import type { ChannelEpoch } from '../connection/channel-epoch.js';

/** Remains of a consumer on a connection that it has left. */
export interface LeftChannel {
  readonly epoch: ChannelEpoch | undefined;
  readonly consumerTag: string | undefined;
  readonly supervised: SupervisedChannel;
}

const LOOK_WHETHER_SETTLED_MS = 50;

/** Channels on connections that a consumer has left: their deliveries are still settled there. */
export class LeftChannels {
  private readonly all = new Set<LeftChannel>();

  /**
   * Stops the deliveries on a left channel, and closes it when they are settled.
   *
   * @param first resolves when they may be stopped
   */
  async leave(left: LeftChannel, first?: Promise<void>): Promise<void> {
    const { epoch, consumerTag, supervised } = left;
    this.all.add(left);
    if (first !== undefined) await first;
    epoch?.endSoon();
    if (epoch && !epoch.lost && consumerTag !== undefined)
      await epoch.channel.cancel(consumerTag).catch(() => {});
    await untilSettled(epoch);
    await supervised.close();
    this.all.delete(left);
  }

  /** Marks the deliveries of a lost channel. False if it is none of these. */
  lose(channel: Channel): boolean {
    const left = [...this.all].find(({ epoch }) => epoch?.channel === channel);
    left?.epoch?.lose();
    return left !== undefined;
  }

  /** Sends the buffered acks; the other deliveries are lost. */
  async close(): Promise<void> {
    const left = [...this.all];
    for (const { epoch } of left) giveUp(epoch);
    await Promise.all(left.map(({ supervised }) => supervised.close()));
  }
}

/** Not reported: the caller knows that it is closing. */
export function giveUp(epoch: ChannelEpoch | undefined): void {
  epoch?.flush();
  epoch?.lose();
}

/**
 * Ends a channel with all that isn't settled there: the broker has that back in its places, and only then serves another consumer. The
 * broker has answered once more before: a quorum queue may forget acks that it gets with the end of their channel.
 */
export async function endWithAll(
  epoch: ChannelEpoch | undefined,
  supervised: SupervisedChannel,
): Promise<void> {
  epoch?.flush();
  if (epoch && !epoch.lost) await epoch.channel.prefetch(1).catch(() => {});
  epoch?.lose();
  await supervised.close();
}

/** Resolves when all its deliveries are settled. */
export async function untilSettled(epoch: ChannelEpoch | undefined): Promise<void> {
  while (epoch && !epoch.lost && !epoch.isSettled) await pause(systemClock, LOOK_WHETHER_SETTLED_MS);
}
