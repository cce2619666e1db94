import { type Received, receive } from '../consume/received.js';
import { movedCopy } from '../consume/republish.js';
import { isOwnFault } from '../publish/unsendable.js';
import type { Names } from '../topology/names.js';
import type { Delivery, TransportSession } from '../transport/transport.js';
import type { Clock } from '../util/clock.js';
import { missing } from './missing-queue.js';
import { queueLookup } from './queue-lookup.js';
import { walk } from './walk.js';

export interface MoveOptions {
  readonly names: Names;
  /** The work queue, which nobody may consume meanwhile. */
  readonly queue: string;
  /** Where a message that was published so belongs; undefined leaves it where it is. */
  target(exchange: string, routingKey: string): string | undefined;
}

/** What became of the messages of a work queue. */
export interface MoveResult {
  readonly moved: number;
  /** Nobody takes them, or they can't be read whole, or not be written again. */
  readonly stayed: number;
}

/** How many are under way at once: about as many as the broker confirms together. */
const AT_ONCE = 200;
const PUBLISH_MS = 30_000;

interface Move {
  readonly received: Received;
  readonly to: string;
}

/**
 * Moves what waits in a work queue into others, with body, headers and attempts: each is confirmed there before it is acked
 * here. Dying in between leaves a message in both queues, under one id.
 *
 * @throws TopologyError if there is no such queue, or none that is to take a message; and what a publish throws: the rest stays
 */
export async function moveMessages(
  session: TransportSession,
  clock: Clock,
  { names, queue, target }: MoveOptions,
): Promise<MoveResult> {
  const underWay = new Set<Promise<void>>();
  const ending = new AbortController();
  const exists = queueLookup(session);
  let moved = 0;
  let stayed = 0;
  let failure: unknown;
  const fail = (error: unknown) => {
    // With our headers it is more than AMQP can carry: no other is to wait for that.
    if (isOwnFault(error)) {
      stayed += 1;
      return;
    }
    failure ??= error;
    ending.abort();
  };
  const pick = (delivery: Delivery): Move | undefined => {
    const received = receive(delivery, names);
    // A copy would be without the header that can't be read.
    const to = delivery.unreadable === undefined ? target(received.exchange, received.routingKey) : undefined;
    if (to !== undefined) return { received, to };
    stayed += 1;
    return undefined;
  };
  const send = async (received: Received, to: string) => {
    // The delays' alternate exchange takes what has no queue: it would lie in the lost queue.
    if (!(await exists(to))) throw missing(to);
    await session.publish(movedCopy(names, received, to, PUBLISH_MS));
  };
  await walk<Move>(session, clock, {
    queue,
    signal: ending.signal,
    pick,
    act: async ({ received, to }, ack) => {
      while (underWay.size >= AT_ONCE) await Promise.race(underWay);
      if (ending.signal.aborted) return;
      const moving = send(received, to)
        .then(() => {
          ack();
          moved += 1;
        })
        .catch(fail)
        .finally(() => underWay.delete(moving));
      underWay.add(moving);
    },
    finish: async () => void (await Promise.all(underWay)),
    again: () => {
      stayed = 0;
    },
  });
  if (failure !== undefined) throw failure;
  return { moved, stayed };
}
