import { TopologyError } from '../../errors.js';
import { HEADER } from '../../message/headers.js';
import type { OutgoingMessage } from '../../message/message.js';
import type { Headers } from '../../message/properties.js';
import type { Names } from '../../topology/names.js';
import type { Session } from '../../transport/transport.js';
import { Deadline } from '../../util/deadline.js';
import { DEAD_LETTER_REASONS } from '../filter.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { deadLetterOf, decodeLine, encodeLine } from '../letters/export-line.js';
import { isForeign } from '../letters/foreign-story.js';
import { sourceOf, withSource } from '../letters/letter-source.js';
import { encodeTrashed } from '../letters/marks.js';
import type { FailuresSettings } from '../options.js';
import type { Act } from './acting.js';
import { Destinations } from './destinations.js';
import { contentOf, dropCopies } from './replay.js';

/*
 * The trash: a queue in which forgotten letters wait for a day, as they were. A letter of Hopline's, or of the broker's, lies there with its
 * story in Hopline's headers, as an imported one does; one of another framework in the headers in which it came.
 */

/** A letter on its way into the trash. */
function trashed(
  letter: DeadLetter,
  { trash }: Pick<Names, 'trash'>,
  { by, at, deadlineMs }: { readonly by: string; readonly at: Date; readonly deadlineMs: number },
): OutgoingMessage {
  const message = asItIs(letter, deadlineMs);
  const headers: Headers = Object.assign(Object.create(null), message.properties.headers);
  if (!isForeign(letter.by)) {
    headers[HEADER.reason] = letter.reason;
    if (letter.queue !== undefined) headers[HEADER.queue] = letter.queue;
  }
  headers[HEADER.trashed] = encodeTrashed({ by, at, deadQueue: letter.deadQueue });
  return {
    ...message,
    properties: { ...message.properties, headers },
    to: 'exchange',
    exchange: '',
    routingKey: trash,
  };
}

/** A letter of the trash on its way back into its dead-letter queue. @throws TopologyError if it does not say which that was */
function restored(
  letter: DeadLetter,
  { isOther, publishDeadlineMs: deadlineMs }: FailuresSettings,
  destinations: Destinations,
): OutgoingMessage {
  const { trashed: mark } = letter;
  if (!mark)
    throw new TopologyError(
      `queue '${letter.deadQueue}'`,
      `the letter '${letter.id}' in '${letter.deadQueue}' does not say which dead-letter queue it is from`,
      'Another program has put it there: move it with the tools of the broker.',
    );
  const message = asItIs(letter, deadlineMs);
  destinations.checkRestored(letter, mark.deadQueue);
  // Hopline's own queues are reached as everywhere: through the exchange that knows the lanes.
  const isDirect = isForeign(letter.by) || isOther(mark.deadQueue);
  return isDirect ? { ...message, to: 'exchange', exchange: '', routingKey: mark.deadQueue } : message;
}

function asItIs(letter: DeadLetter, deadlineMs: number): OutgoingMessage {
  if (!isForeign(letter.by)) return withItsReason(letter, deadlineMs);
  const { userId, expiration, ...properties } = letter.properties;
  const headers: Headers = Object.assign(Object.create(null), letter.headers);
  dropCopies(headers);
  // As properties they would end the message where it lies, or be refused.
  if (expiration !== undefined) headers[HEADER.expiration] = expiration;
  if (userId !== undefined) headers[HEADER.userId] = userId;
  return {
    ...{ to: 'exchange', exchange: '', routingKey: '' },
    ...contentOf(letter, { deliveryMode: 2, ...properties, headers }, deadlineMs),
  };
}

/** A newer worker may have given it up for a reason that this version has no name for. */
function withItsReason(letter: DeadLetter, deadlineMs: number): OutgoingMessage {
  const isKnown = DEAD_LETTER_REASONS.includes(letter.reason);
  const known = isKnown ? letter : withSource({ ...letter, reason: 'unknown' }, sourceOf(letter));
  const message = deadLetterOf(decodeLine(encodeLine(known)), deadlineMs);
  const headers: Headers = Object.assign(Object.create(null), message.properties.headers);
  if (headers[HEADER.reason] !== undefined) headers[HEADER.reason] = letter.reason;
  return { ...message, properties: { ...message.properties, headers } };
}

const DECLARE_MS = 10_000;

/** Moves letters into the trash, which is declared for the first one. */
export function intoTrash(session: Session, settings: FailuresSettings, by: string): Act {
  const { names, transport, publishDeadlineMs: deadlineMs } = settings;
  const topology = { exchanges: [], queues: [], trash: true };
  let declared: Promise<void> | undefined;
  const at = new Date(transport.clock.now());
  return async (letter) => {
    declared ??= session.declare(topology, 'declare', new Deadline(transport.clock, DECLARE_MS));
    const declaring = declared;
    await declaring.catch((error) => {
      // The next letter may find the broker well again.
      if (declared === declaring) declared = undefined;
      throw error;
    });
    await session.publish(trashed(letter, names, { by, at, deadlineMs }));
  };
}

/** Moves letters of the trash back into their dead-letter queues. */
export function outOfTrash(session: Session, settings: FailuresSettings): Act {
  const destinations = new Destinations(settings);
  return async (letter) => void (await session.publish(restored(letter, settings, destinations)));
}
