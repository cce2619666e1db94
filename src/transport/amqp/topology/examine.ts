import type { ChannelModel } from 'amqplib';
import { type ChannelError, openConfirmChannel } from '../connection/channel.js';
import { Confirms } from '../publish/confirms.js';
import type { PendingPublish, Verdict } from '../publish/pending-publish.js';

/** Result of publishing a message again, for finding the one for which the broker closes the channel. */
export type SuspectVerdict = Verdict | { readonly closedBy: ChannelError } | 'lost';

type Tell = (pending: PendingPublish, verdict: SuspectVerdict) => void;

/**
 * Publishes messages again on separate channels. A broker that closes a channel for a publish does not say for
 * which one; here the unanswered ones are halved at each close, until one remains. That takes a round for each
 * doubling of their number, and writes each message about twice.
 */
export async function examine(
  model: ChannelModel,
  suspects: readonly PendingPublish[],
  tell: Tell,
): Promise<void> {
  const groups = [suspects];
  for (let group = groups.pop(); group; group = groups.pop()) {
    const { unanswered, closedBy } = await publishTogether(
      model,
      group.filter(({ ended }) => !ended),
      tell,
    );
    const half = Math.ceil(unanswered.length / 2);
    // Without the broker's reason the connection is lost; the caller writes them again on the next one.
    if (!closedBy) for (const pending of unanswered) tell(pending, 'lost');
    else if (unanswered.length === 1) tell(unanswered[0] as PendingPublish, { closedBy });
    else groups.push(unanswered.slice(half), unanswered.slice(0, half));
  }
}

interface Rest {
  readonly unanswered: readonly PendingPublish[];
  readonly closedBy?: ChannelError | undefined;
}

async function publishTogether(
  model: ChannelModel,
  group: readonly PendingPublish[],
  tell: Tell,
): Promise<Rest> {
  if (group.length === 0) return { unanswered: [] };
  const open = new Set(group);
  try {
    const channel = await openConfirmChannel(model);
    return await new Promise<Rest>((resolve, reject) => {
      let closedBy: ChannelError | undefined;
      channel.on('error', (error: ChannelError) => {
        closedBy = error;
      });
      channel.on('close', () => resolve({ unanswered: [...open], closedBy }));
      const confirms = new Confirms(channel, (pending, verdict) => {
        open.delete(pending);
        tell(pending, verdict);
        if (open.size === 0) channel.close().catch(reject);
      });
      try {
        for (const pending of group) confirms.write(pending);
      } catch (error) {
        // The channel is closing at this moment.
        reject(error);
      }
    });
  } catch {
    return { unanswered: [...open] };
  }
}
