import { movedCopy } from '../../consume/settle/republish.js';
import { type Received, receive } from '../../pipeline/received.js';
import type { Overlap } from '../../topology/generations.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { walk } from '../reading/walk.js';

const PUBLISH_MS = 30_000;

/**
 * Moves what came late into a queue that is left: a publisher knew it by name. What the new queue has is acked.
 *
 * @returns number of messages that were moved
 */
export async function moveRemains(
  session: Session,
  clock: Clock,
  { names, from, queue, overlap }: { names: Names; from: string; queue: string; overlap: Overlap },
): Promise<number> {
  let moved = 0;
  await walk<Received>(session, clock, {
    queue: from,
    pick: (delivery) => receive(delivery, names),
    act: async (received, ack) => {
      if (!overlap.drops(received.delivery.properties)) {
        await session.publish(movedCopy(received, queue, PUBLISH_MS));
        moved += 1;
      }
      ack();
    },
  });
  return moved;
}
