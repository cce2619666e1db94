import type { Delivery, Session } from '../../transport/transport.js';
import { readLetter } from '../letters/read-letter.js';
import type { FailuresSettings } from '../options.js';
import { walk } from './walk.js';

/** Ids of the letters that are in a queue. @throws as `walk` does */
export async function idsIn(
  session: Session,
  { names, transport }: FailuresSettings,
  queue: string,
  isMeant: (delivery: Delivery) => boolean,
): Promise<string[]> {
  let ids: string[] = [];
  await walk(session, transport.clock, {
    queue,
    again: () => {
      ids = [];
    },
    pick: (delivery) => {
      if (isMeant(delivery)) ids.push(readLetter(delivery, names).id);
    },
  });
  return ids;
}
