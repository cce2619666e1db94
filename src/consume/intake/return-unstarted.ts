import { type Pack, PackItem } from '../../features/pack/pack.js';
import { fittingId } from '../../message/message-id.js';
import { type Outcome, RETURN } from '../../pipeline/outcome.js';
import { Work } from '../../pipeline/work.js';
import type { Delivery } from '../../transport/transport.js';
import type { Gate } from './gate.js';

/**
 * Returns work that was delivered and has not started. A pack can't go back once one of its messages has started; the
 * rest of it is returned message by message.
 *
 * @returns a promise that resolves when all of it is on its way
 */
export async function returnUnstarted(
  waiting: readonly Work[],
  settle: (work: Work, outcome: Outcome) => Promise<void> | undefined,
): Promise<void> {
  const waitingOf = new Map<Pack, number>();
  for (const { received } of waiting) {
    const { delivery } = received;
    if (delivery instanceof PackItem) waitingOf.set(delivery.pack, (waitingOf.get(delivery.pack) ?? 0) + 1);
  }
  const isWhole = (pack: Pack) => waitingOf.get(pack) === pack.items.length;
  const returning = waiting.flatMap((work) => {
    const { delivery } = work.received;
    if (!(delivery instanceof PackItem) || !isWhole(delivery.pack)) return [work];
    return delivery === delivery.pack.items[0] ? [wholeOf(delivery.pack, work)] : [];
  });
  await Promise.all(returning.map((work) => settle(work, RETURN)));
}

function wholeOf({ delivery }: Pack, { received, match, lane }: Work): Work {
  const { messageId: id } = delivery.properties;
  const messageId = id ? fittingId(id) : undefined;
  return new Work({ ...received, delivery, messageId }, match, lane);
}

/** Takes a lane's work out that has not begun, and returns its deliveries; but for packs, of which a part may have begun. */
export function takeUnstarted(gate: Pick<Gate, 'takeWaiting'>, lane: number): Delivery[] {
  const taken = gate.takeWaiting(lane, ({ received }) => !(received.delivery instanceof PackItem));
  return taken.map(({ received }) => received.delivery);
}
