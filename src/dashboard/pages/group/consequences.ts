import { countedText, countText, durationText } from '../../ui/text.js';

/*
 * What an action on a group will do, said before it is done.
 */

/** Letters, and where they go. */
export interface Affected {
  readonly count: number;
  readonly queue: string;
}

/** Rate of a canary's rest. */
export const CANARY_RATE = 50;
const FIRST = 1;
const NEXT = 10;

const lettersText = (count: number): string => countedText(count, 'dead letter');

/** `12,431 dead letters will be replayed to the queue mailer: one first, then ten, then the other 12,420 at 50/s, which takes about 4 min.` */
export function canaryText({ count, queue }: Affected): string {
  const rest = count - FIRST - NEXT;
  const first = `${lettersText(count)} will be replayed to the queue ${queue}`;
  if (count <= FIRST) return `${first}.`;
  const time = durationText((rest / CANARY_RATE) * 1_000);
  if (rest <= 0) return `${first}: one first, then the other ${countText(count - FIRST)}.`;
  return `${first}: one first, then ten, then the other ${countText(rest)} at ${CANARY_RATE}/s, which takes about ${time}.`;
}

export const CANARY_STOPS =
  'It stops by itself if one fails in the same way again, or if no worker reports how it went. Each has one try, and comes back as a dead letter if that fails.';

export const retryText = ({ count, queue }: Affected): string =>
  `${lettersText(count)} will be replayed to the queue ${queue} at once, each with all its tries. It does not stop if they fail again.`;

export const forgetText = ({ count }: Pick<Affected, 'count'>): string =>
  `${lettersText(count)} will be moved to the trash. They can be restored from there for a day, and are gone then.`;
