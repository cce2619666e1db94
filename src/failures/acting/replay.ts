import { randomUUID } from 'node:crypto';
import { HEADER, setAside, withoutUnroutable } from '../../message/headers.js';
import type { OutgoingContent, OutgoingMessage } from '../../message/message.js';
import type { Headers, MessageProperties } from '../../message/properties.js';
import { outgoingFields } from '../../message/wire/outgoing-fields.js';
import { encodeReplay, type ReplayMark } from '../../message/wire/replay-header.js';
import type { DeadLetter } from '../letters/dead-letter.js';
import { isFaultHeader, isForeign } from '../letters/foreign-story.js';
import { sourceOf } from '../letters/letter-source.js';

/**
 * Destination of a replay. `queue`: exactly the queue in which the message failed, and no other. `republish`:
 * its exchange and routing key, as a new message, so that every subscriber gets it.
 */
export type ReplayTarget = 'queue' | 'republish';

/*
 * A replay is the message as it was published, and begins at attempt 1. The headers about its failure,
 * Hopline's and the broker's, are removed; those of its chain, batch, unique key and encryption stay. The
 * expiration is restored. The user-id is not: the broker refuses any but the connection's own, and closes the
 * channel for it.
 */

/**
 * To exactly the queue in which the message failed.
 *
 * @param replay mark by which it is tried once, and reported about; without one, that of an earlier replay is left out
 * @param run name of the run that it begins
 */
export function toQueue(
  letter: DeadLetter,
  queue: string,
  deadlineMs: number,
  replay?: ReplayMark,
  run: string = randomUUID(),
): OutgoingMessage {
  const headers = replayedHeaders(letter);
  // These headers have had their effect; they are kept renamed, for a later republish.
  setAside(headers);
  headers[HEADER.exchange] = letter.exchange;
  headers[HEADER.routingKey] = letter.routingKey;
  headers[HEADER.run] = run;
  if (replay) headers[HEADER.replay] = encodeReplay(replay);
  if (letter.properties.userId !== undefined) headers[HEADER.userId] = letter.properties.userId;
  if (letter.droppedHeaders !== undefined) headers[HEADER.dropped] = letter.droppedHeaders;
  return { to: 'queue', queue, ...content(letter, headers, deadlineMs) };
}

/**
 * Through the default exchange to a queue of another application, as the message was before it failed: with none of Hopline's headers, no
 * other id, and without the headers in which its framework says how it failed.
 */
export function returned(letter: DeadLetter, queue: string, deadlineMs: number): OutgoingMessage {
  const { userId: _, ...kept } = letter.properties;
  const headers = theirHeaders(letter);
  dropCopies(headers);
  if (letter.editedHeader !== undefined) headers[HEADER.edited] = letter.editedHeader;
  const content = contentOf(letter, { deliveryMode: 2, ...kept, headers }, deadlineMs);
  return { to: 'exchange', exchange: '', routingKey: queue, ...content };
}

/**
 * Through the message's exchange again, to all queues that are bound now. A message that no queue takes must stay
 * a dead letter.
 */
export function republished(
  letter: DeadLetter,
  deadlineMs: number,
  run: string = randomUUID(),
): OutgoingMessage {
  const { exchange, routingKey, droppedHeaders } = letter;
  const headers = replayedHeaders(letter);
  headers[HEADER.run] = run;
  const refused = withoutUnroutable(headers);
  // A republished message mentions dropped headers only if it loses some here.
  if (refused.length > 0)
    headers[HEADER.dropped] = [droppedHeaders, ...refused].filter((text) => text !== undefined).join(', ');
  return { to: 'exchange', exchange, routingKey, ...content(letter, headers, deadlineMs) };
}

/** Headers of the publish, without what another framework has added when it gave the message up. */
function theirHeaders({ headers, by }: DeadLetter): Headers {
  const all: Headers = Object.assign(Object.create(null), headers);
  if (isForeign(by)) for (const name of Object.keys(all)) if (isFaultHeader(by, name)) delete all[name];
  return all;
}

/** Headers of the publish, with those of chain, batch, job, unique key and encryption. */
function replayedHeaders(letter: DeadLetter): Headers {
  const { chainHeader, batchHeader, jobHeader, uniqueHeader, encryptedHeader, editedHeader } = letter;
  const all = theirHeaders(letter);
  if (chainHeader !== undefined) all[HEADER.chain] = chainHeader;
  if (batchHeader !== undefined) all[HEADER.batch] = batchHeader;
  if (jobHeader !== undefined) all[HEADER.job] = jobHeader;
  if (uniqueHeader !== undefined) all[HEADER.unique] = uniqueHeader;
  if (encryptedHeader !== undefined) all[HEADER.encrypted] = encryptedHeader;
  if (editedHeader !== undefined) all[HEADER.edited] = editedHeader;
  return all;
}

function content(letter: DeadLetter, headers: Headers, deadlineMs: number): OutgoingContent {
  const { userId: _, ...kept } = letter.properties;
  // A message without an id gets the id under which it was listed, so that a duplicate can be recognised.
  const messageId = kept.messageId ?? letter.id;
  return contentOf(letter, { ...kept, messageId, headers, deliveryMode: 2 }, deadlineMs);
}

/** A letter's body, with these properties. */
export function contentOf(
  letter: DeadLetter,
  properties: MessageProperties,
  deadlineMs: number,
): OutgoingContent {
  const source = sourceOf(letter);
  const fields = outgoingFields(properties);
  return { body: letter.body, ...fields, mustRoute: true, deadlineMs, ...(source ? { source } : {}) };
}

/** Takes out the headers by which the broker would send copies to the queues that they name. Changes its argument. */
export function dropCopies(headers: Headers): void {
  for (const name of ['CC', 'BCC']) delete headers[name];
}
