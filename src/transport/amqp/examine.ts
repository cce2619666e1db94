import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { ChannelError } from './channel.js';
import { Confirms } from './confirms.js';
import type { PendingPublish, Verdict } from './pending-publish.js';

/** What came of publishing a message with nothing else on its channel. */
export type LoneVerdict = Verdict | { readonly closedBy: ChannelError } | 'lost';

/**
 * Publishes messages one by one on a channel of their own. When the broker closes a channel for something in a publish,
 * it does not say in which; here the one that is alone when it happens again is the one.
 */
export async function examine(
  model: ChannelModel,
  suspects: readonly PendingPublish[],
  tell: (pending: PendingPublish, verdict: LoneVerdict) => void,
): Promise<void> {
  let channel: ConfirmChannel | undefined;
  for (const pending of suspects) {
    if (pending.ended) continue;
    let verdict: LoneVerdict = 'lost';
    try {
      channel ??= await model.createConfirmChannel();
      verdict = await publishAlone(channel, pending);
    } catch {
      // The connection is gone; whoever asked will write it again on the next one.
    }
    if (typeof verdict === 'object' || verdict === 'lost') channel = undefined;
    tell(pending, verdict);
  }
  await channel?.close().catch(() => {});
}

function publishAlone(channel: ConfirmChannel, pending: PendingPublish): Promise<LoneVerdict> {
  return new Promise((resolve) => {
    let error: ChannelError | undefined;
    const onError = (cause: ChannelError) => {
      error = cause;
    };
    const onClose = () => resolve(error ? { closedBy: error } : 'lost');
    channel.on('error', onError);
    channel.on('close', onClose);
    const confirms = new Confirms(channel, (_pending, verdict) => {
      channel.removeAllListeners('return');
      channel.off('error', onError);
      channel.off('close', onClose);
      resolve(verdict);
    });
    confirms.write(pending);
  });
}
