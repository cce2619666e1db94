import { randomUUID } from 'node:crypto';
import { walk } from '../../failures/reading/walk.js';
import { overlapKey } from '../../topology/generations.js';
import type { Session } from '../../transport/transport.js';
import { type Clock, pause } from '../../util/clock.js';

/** Header of the message that is put behind all that the two queues may have in common. */
const MARK = 'hopline-migration-mark';

const PUBLISH_MS = 30_000;
const AGAIN_MS = 200;

export interface OverlapFound {
  /** Keys of the messages, one behind the other. */
  readonly overlap: string;
  readonly messages: number;
  /** Messages without an id. */
  readonly unnamed: number;
}

/**
 * Reads a queue that nobody consumes, and gives all back at their places. What it has by now is enough: a message that the other queue
 * doesn't have does no harm among these. The mark, which is taken out again, shows that the whole of it was read; those of earlier
 * tries are taken out with it.
 */
export async function readOverlap(session: Session, clock: Clock, queue: string): Promise<OverlapFound> {
  const mark = randomUUID();
  await session.publish({
    to: 'exchange',
    exchange: '',
    routingKey: queue,
    body: Buffer.alloc(0),
    properties: { deliveryMode: 2, messageId: mark, headers: { [MARK]: mark } },
    mustRoute: true,
    deadlineMs: PUBLISH_MS,
  });
  for (;;) {
    const keys = new Set<string>();
    let unnamed = 0;
    let isWhole = false;
    await walk<string>(session, clock, {
      queue,
      isBounded: true,
      pick: ({ properties: { messageId, headers } }) => {
        const its = headers[MARK];
        if (typeof its === 'string') return its;
        if (messageId === undefined) unnamed += 1;
        else keys.add(overlapKey(messageId));
        return undefined;
      },
      act: async (found, ack) => {
        if (ack() && found === mark) isWhole = true;
      },
      again: () => {
        keys.clear();
        unnamed = 0;
      },
    });
    if (isWhole) return { overlap: [...keys].join(''), messages: keys.size + unnamed, unnamed };
    await pause(clock, AGAIN_MS);
  }
}
