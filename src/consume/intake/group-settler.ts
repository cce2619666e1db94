import type { Uniques } from '../../features/unique/uniques.js';
import { hasLeases } from '../handlers/long-handlers.js';
import type { ServedLane, Serving } from '../handlers/serving.js';
import { type DueOptions, dueEffects } from '../settle/due.js';
import { Replies, type RepliesOptions } from '../settle/replies.js';
import { Settler, type SettlerOptions } from '../settle/settle.js';
import type { Pause } from './pause.js';

export type GroupSettlerOptions = Omit<DueOptions, 'uniques' | 'queueOf' | 'replies'> &
  Omit<RepliesOptions, 'isOfRequests'> &
  Omit<SettlerOptions, 'onHold' | 'onRelease' | 'queueOf' | 'effects' | 'replies'>;

/** The settler of one group of slots, which pauses the group while something can't be stored. */
export function groupSettler(
  { lanes, subscriptions }: Pick<Serving, 'lanes' | 'subscriptions'>,
  options: GroupSettlerOptions,
  uniques: Uniques,
  pause: Pick<Pause, 'hold' | 'release'>,
): Settler {
  const subscriptionOf = (lane: number) => (lanes[lane] as ServedLane).subscription;
  const queueOf = (lane: number) => subscriptionOf(lane).queue;
  const isOfRequests = (lane: number) => subscriptionOf(lane).kind === 'requests';
  const hasRequests = lanes.some((_lane, index) => isOfRequests(index));
  const replies = hasRequests ? new Replies({ ...options, isOfRequests }) : undefined;
  return new Settler({
    ...options,
    queueOf,
    effects: dueEffects({
      ...{ ...options, uniques, queueOf, replies },
      hasLeases: subscriptions.some(hasLeases),
    }),
    replies,
    onHold: (error) => pause.hold(error),
    onRelease: () => pause.release(),
  });
}
