import { movedCopy } from '../../consume/settle/republish.js';
import { isOwnFault } from '../../pipeline/errors/final-errors.js';
import { type Received, receive } from '../../pipeline/received.js';
import type { Names } from '../../topology/names.js';
import type { Delivery, Session } from '../../transport/transport.js';
import type { Clock } from '../../util/clock.js';
import { missing } from '../reading/missing-queue.js';
import { walk } from '../reading/walk.js';
import { queueLookup } from './queue-lookup.js';

export interface MoveOptions {
  readonly names: Names;
  /** Source: a work queue, which nobody may consume during the move. */
  readonly queue: string;
  /** Destination queue of a message with this origin; undefined leaves the message where it is. */
  target(exchange: string, routingKey: string): string | undefined;
}

/** Result of a move. */
export interface MoveResult {
  readonly moved: number;
  /** Messages without a destination, and messages that can't be read completely or written again. */
  readonly stayed: number;
}

/** Messages under way at once: about as many as the broker confirms together. */
const AT_ONCE = 200;
const PUBLISH_MS = 30_000;

interface Move {
  readonly received: Received;
  readonly to: string;
}

/**
 * Moves the messages of a work queue into other queues, with body, headers and attempts: each is confirmed
 * there before it is acked here. A crash in between leaves the message in both queues, under one id.
 *
 * @throws TopologyError if the source or a destination does not exist; the errors of a publish. The remaining
 * messages stay
 */
export async function moveMessages(
  session: Session,
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
    // With Hopline's headers the message is larger than AMQP allows: the other messages go on.
    if (isOwnFault(error)) {
      stayed += 1;
      return;
    }
    failure ??= error;
    ending.abort();
  };
  const pick = (delivery: Delivery): Move | undefined => {
    const received = receive(delivery, names);
    // A copy would lack the unreadable header.
    const to = delivery.unreadable === undefined ? target(received.exchange, received.routingKey) : undefined;
    if (to !== undefined) return { received, to };
    stayed += 1;
    return undefined;
  };
  const send = async (received: Received, to: string) => {
    // The alternate exchange of the delay queues would take the message, and it would end in the lost queue.
    if (!(await exists(to))) throw missing(to);
    await session.publish(movedCopy(received, to, PUBLISH_MS));
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
