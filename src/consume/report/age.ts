import { publishedAtOf } from '../../message/published-at.js';
import type { Work } from '../../pipeline/work.js';
import type { Clock } from '../../util/clock.js';

/** True for the first attempt at a message that came straight from its queue: all others have waited for other reasons, too. */
export function isFirstDelivery({ attempt, received: { exchange, delivery } }: Work): boolean {
  return attempt === 1 && !delivery.redelivered && delivery.exchange === exchange;
}

/** Milliseconds since the publish of a message, if that is known. */
export function ageMs({ received }: Work, clock: Clock): number | undefined {
  const at = publishedAtOf(received.delivery.properties);
  return at === undefined ? undefined : clock.now() - at;
}

/** Age of the first message of which its age says how long its queue lets messages wait. */
export function oldestMs(all: readonly Work[], clock: Clock): number | undefined {
  const first = all.find((work) => isFirstDelivery(work) && ageMs(work, clock) !== undefined);
  return first && Math.max(0, ageMs(first, clock) ?? 0);
}
