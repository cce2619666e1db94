import type { OperatorSession } from '../../transport/operator-session.js';

/** Asks once for each queue. If a queue is deleted after that, its replays are not lost: they go to the lost queue. */
export function queueLookup(session: Pick<OperatorSession, 'inspect'>): (queue: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>();
  return (queue) => {
    const asked = known.get(queue) ?? session.inspect(queue).then((state) => state !== undefined);
    known.set(queue, asked);
    return asked;
  };
}
