import { HEADER, setAside, withoutUnroutable } from '../message/headers.js';
import type { Headers, OutgoingMessage } from '../message/message.js';
import { dueKey } from '../topology/delays.js';
import type { Names } from '../topology/names.js';
import type { DeadLetter } from './dead-letter.js';
import { sourceOf } from './letter-source.js';

/**
 * Where a replay goes. `queue`: to exactly the queue it failed in, nobody else sees it again. `republish`: through its
 * exchange and routing key as if it were new, so that every subscriber gets it.
 */
export type ReplayTarget = 'queue' | 'republish';

/*
 * A replay is the message as it was published, and begins at attempt 1: nothing of its death, neither our headers nor
 * the broker's, goes with it; the rest of its chain, its place in a batch, what makes it unique and how it is encrypted do.
 * Its expiration is put back. Its user-id is not: the broker refuses any but the connection's own, and closes the channel
 * for it.
 */

/** To exactly the queue it failed in: through the last exchange of the delays, where every work queue is bound. */
export function toQueue(
  names: Names,
  letter: DeadLetter,
  queue: string,
  deadlineMs: number,
): OutgoingMessage {
  const headers = replayedHeaders(letter);
  // It has been copied already; kept, so that a later republish can do it again.
  setAside(headers);
  headers[HEADER.exchange] = letter.exchange;
  headers[HEADER.routingKey] = letter.routingKey;
  if (letter.properties.userId !== undefined) headers[HEADER.userId] = letter.properties.userId;
  if (letter.droppedHeaders !== undefined) headers[HEADER.dropped] = letter.droppedHeaders;
  const address = { exchange: names.delayOut, routingKey: dueKey('q', queue) };
  return { ...address, ...content(letter, headers), mandatory: true, deadlineMs };
}

/** Through its exchange again, to all who are bound there now. Mandatory: one that nobody takes must stay a dead letter. */
export function republished(letter: DeadLetter, deadlineMs: number): OutgoingMessage {
  const { exchange, routingKey, droppedHeaders } = letter;
  const headers = replayedHeaders(letter);
  const refused = withoutUnroutable(headers);
  // New as it is, it says what was lost only where this loses something.
  if (refused.length > 0)
    headers[HEADER.dropped] = [droppedHeaders, ...refused].filter((text) => text !== undefined).join(', ');
  return { exchange, routingKey, ...content(letter, headers), mandatory: true, deadlineMs };
}

/** As it was published, with what comes after it, its place in a batch, what makes it unique, and how it is encrypted. */
function replayedHeaders(letter: DeadLetter): Headers {
  const { headers, chainHeader, batchHeader, uniqueHeader, encryptedHeader } = letter;
  const all: Headers = Object.assign(Object.create(null), headers);
  if (chainHeader !== undefined) all[HEADER.chain] = chainHeader;
  if (batchHeader !== undefined) all[HEADER.batch] = batchHeader;
  if (uniqueHeader !== undefined) all[HEADER.unique] = uniqueHeader;
  if (encryptedHeader !== undefined) all[HEADER.encrypted] = encryptedHeader;
  return all;
}

function content(letter: DeadLetter, headers: Headers) {
  const { body, properties, id } = letter;
  const source = sourceOf(letter);
  const { userId: _, ...kept } = properties;
  // One that never had an id gets the one it was listed under, so that a duplicate can be told.
  const messageId = properties.messageId ?? id;
  return {
    body,
    properties: { ...kept, messageId, headers, deliveryMode: 2 },
    ...(source ? { source } : {}),
  };
}
