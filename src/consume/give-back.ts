import type { Work } from './concurrency.js';
import { type Outcome, REQUEUE } from './outcome.js';
import { type Pack, PackItem } from './pack.js';

/**
 * Gives back what was delivered and has not started: each to its place in the queue. A pack of which something has
 * started can't go there; what is left of it comes back message by message.
 *
 * @returns a promise that resolves when all of it is on its way
 */
export async function giveBack(
  waiting: readonly Work[],
  settle: (work: Work, outcome: Outcome) => Promise<void> | undefined,
): Promise<void> {
  const waitingOf = new Map<Pack, number>();
  for (const { received } of waiting) {
    const { delivery } = received;
    if (delivery instanceof PackItem) waitingOf.set(delivery.pack, (waitingOf.get(delivery.pack) ?? 0) + 1);
  }
  const isWhole = (pack: Pack) => waitingOf.get(pack) === pack.items.length;
  for (const pack of waitingOf.keys()) if (isWhole(pack)) pack.delivery.requeue();
  const rest = waiting.filter(
    ({ received: { delivery } }) => !(delivery instanceof PackItem && isWhole(delivery.pack)),
  );
  await Promise.all(rest.map((work) => settle(work, REQUEUE)));
}
