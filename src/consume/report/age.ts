import { publishedAtOf } from '../../message/wire/published-at.js';
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

/** How long its queue has let a message wait, in milliseconds; undefined if that is not known, or if it has waited for other reasons. */
export function waitMs(work: Work, clock: Clock): number | undefined {
  if (!isFirstDelivery(work)) return undefined;
  const age = ageMs(work, clock);
  return age === undefined ? undefined : Math.max(0, age);
}

/** Wait of the first message of which it is known. */
export function oldestMs(all: readonly Work[], clock: Clock): number | undefined {
  for (const work of all) {
    const wait = waitMs(work, clock);
    if (wait !== undefined) return wait;
  }
  return undefined;
}
