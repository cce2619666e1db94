import { systemClock } from '../../../util/clock.js';
import { Deadline } from '../../../util/deadline.js';
import { openConfirmChannel } from '../connection/channel.js';
import type { BrokerAddress } from '../options.js';
import { Confirms } from './confirms.js';
import { type DialOptions, dial, type Line } from './line.js';
import { type Addressed, PendingPublish } from './pending-publish.js';

/** Result of publishing a waiting message at another address. */
export type Finding =
  | 'confirmed'
  /** The address answers, and does not confirm: the trouble is not one of the address. */
  | 'not confirmed'
  | 'unreachable';

/** Long enough for an election (0.1 to 0.4 s), and for a busy machine. */
const CONFIRM_WITHIN_MS = 5_000;
const CONNECT_WITHIN_MS = 3_000;
const CLOSE_OK_MS = 1_000;

/**
 * Publishes a message, with its id, over a separate connection to another address. Always mandatory: a confirm
 * without a queue proves nothing, as from a broker that does not know our queues.
 */
export async function secondLook(
  address: BrokerAddress,
  message: Addressed,
  options: DialOptions,
): Promise<Finding> {
  const connectDeadlineMs = Math.min(CONNECT_WITHIN_MS, options.connectDeadlineMs);
  let line: Line;
  try {
    line = await dial(address, { ...options, connectDeadlineMs });
  } catch {
    return 'unreachable';
  }
  const deadline = new Deadline(systemClock, CONFIRM_WITHIN_MS);
  const isConfirmed = await deadline
    .race(confirmed(line, message), () => new Error('late'))
    .catch(() => false);
  new Deadline(systemClock, CLOSE_OK_MS)
    .race(line.model.close(), () => new Error('late'))
    .catch(() => {})
    .finally(() => line.hangUp());
  return isConfirmed ? 'confirmed' : 'not confirmed';
}

async function confirmed({ model }: Line, { message, address }: Addressed): Promise<boolean> {
  const channel = await openConfirmChannel(model);
  // A missing exchange there closes the channel, and says nothing about the message.
  channel.on('error', () => {});
  return new Promise((resolve) => {
    channel.on('close', () => resolve(false));
    const confirms = new Confirms(channel, (_pending, verdict) => resolve(verdict === 'confirmed'));
    const nothing = () => {};
    const pending = new PendingPublish(message, address, Number.POSITIVE_INFINITY, nothing, nothing);
    pending.mandatory = true;
    confirms.write(pending);
  });
}
