import type { DeadLetterReason } from '../events.js';
import { type ChainState, encodeChain } from '../message/chain-header.js';
import { HEADER, HEADERS_CAP_BYTES, isBrokerHeader, isOwnHeader } from '../message/headers.js';
import type { Headers, HeaderValue, MessageProperties, OutgoingMessage } from '../message/message.js';
import { datelessMessageId } from '../message/message-id.js';
import { delayAddress } from '../topology/delays.js';
import type { Names } from '../topology/names.js';
import type { Received } from './received.js';

/*
 * What a delivery becomes when it travels on: byte for byte the same body, the same properties and headers, but for
 * the broker's own headers and the three properties that would act again on the way.
 */

/** Counters of the next attempt. */
export interface NextAttempt {
  readonly attempt: number;
  readonly exceptions: number;
  readonly releases: number;
  readonly firstAttemptAt: number | undefined;
  /** Of attempts and pauses when it begins; undefined if they were not counted. */
  readonly elapsedMs: number | undefined;
  readonly unhandledSince: number | undefined;
  /** It was handed out before, and its handler may have begun. */
  readonly redelivered?: boolean;
}

/** The message on its way through the delays, back to the queue it came from. */
export function delayedCopy(
  names: Names,
  received: Received,
  delayMs: number,
  next: NextAttempt,
  deadlineMs: number,
): OutgoingMessage {
  const headers = travellingHeaders(received);
  headers[HEADER.attempt] = next.attempt;
  if (next.exceptions > 0) headers[HEADER.exceptions] = next.exceptions;
  if (next.releases > 0) headers[HEADER.releases] = next.releases;
  if (next.firstAttemptAt !== undefined)
    headers[HEADER.firstAttemptAt] = new Date(next.firstAttemptAt).toISOString();
  if (next.firstAttemptAt !== undefined && next.elapsedMs !== undefined)
    headers[HEADER.elapsed] = Math.round(next.elapsedMs);
  if (next.unhandledSince !== undefined)
    headers[HEADER.unhandledSince] = new Date(next.unhandledSince).toISOString();
  if (next.redelivered) headers[HEADER.redelivered] = true;
  return outgoing(received, delayAddress(names, delayMs, 'q', received.delivery.queue), headers, deadlineMs);
}

/** Why and when a message was given up. */
export interface GivenUp {
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  /** What `failed()` threw, if it did. */
  readonly failedError?: unknown;
  /** Its chain, if that has changed. */
  readonly chain?: ChainState | undefined;
  readonly firstAttemptAt: number;
  readonly failedAt: number;
}

/** The message on its way to its dead-letter queue. */
export function deadLetter(
  names: Names,
  received: Received,
  givenUp: GivenUp,
  deadlineMs: number,
): OutgoingMessage {
  const { queue } = received.delivery;
  const headers = travellingHeaders(received);
  headers[HEADER.attempt] = received.attempt;
  headers[HEADER.exceptions] = received.exceptions;
  if (received.releases > 0) headers[HEADER.releases] = received.releases;
  headers[HEADER.firstAttemptAt] = new Date(givenUp.firstAttemptAt).toISOString();
  headers[HEADER.failedAt] = new Date(givenUp.failedAt).toISOString();
  headers[HEADER.queue] = queue;
  headers[HEADER.reason] = givenUp.reason;
  if (givenUp.chain) headers[HEADER.chain] = encodeChain(givenUp.chain);
  addError(headers, givenUp);
  return outgoing(received, { exchange: names.dead, routingKey: queue }, headers, deadlineMs);
}

/** Written anew for each hop, so that none is left from an earlier death, or from a publisher who forged it. */
const REWRITTEN: ReadonlySet<string> = new Set<string>([
  ...[HEADER.attempt, HEADER.exceptions, HEADER.releases, HEADER.firstAttemptAt, HEADER.elapsed],
  HEADER.unhandledSince,
  HEADER.redelivered,
  ...[HEADER.reason, HEADER.error, HEADER.stack, HEADER.failedAt, HEADER.queue],
]);

function travellingHeaders({ delivery, exchange, routingKey }: Received): Headers {
  const { headers: old, expiration, userId } = delivery.properties;
  const headers: Headers = Object.create(null);
  for (const name of Object.keys(old)) {
    if (!isBrokerHeader(name) && !REWRITTEN.has(name)) headers[name] = old[name] as HeaderValue;
  }
  headers[HEADER.exchange] = exchange;
  headers[HEADER.routingKey] = routingKey;
  // It would end the delay early.
  if (expiration !== undefined) headers[HEADER.expiration] = expiration;
  // The broker refuses one that isn't the connection's own.
  if (userId !== undefined) headers[HEADER.userId] = userId;
  // The broker would route it to the other keys once more.
  if (headers.CC !== undefined) {
    headers[HEADER.cc] = headers.CC;
    delete headers.CC;
  }
  return headers;
}

function outgoing(
  { delivery, messageId }: Received,
  address: { exchange: string; routingKey: string },
  headers: Headers,
  deadlineMs: number,
): OutgoingMessage {
  const { expiration: _, userId: __, ...kept } = delivery.properties;
  const properties: MessageProperties = {
    ...kept,
    headers,
    messageId: messageId ?? datelessMessageId(),
    deliveryMode: 2,
  };
  // Mandatory: a missing queue must be an error here, or the ack that follows would lose the message.
  return { ...address, body: delivery.body, properties, mandatory: true, deadlineMs };
}

/**
 * The same message with about half as much of its publisher's headers, the largest left out and named in a header of
 * ours; undefined if none is left. For what came from a foreign client, and is more than AMQP can carry with ours.
 */
export function lightened(message: OutgoingMessage): OutgoingMessage | undefined {
  const headers: Headers = Object.assign(Object.create(null), message.properties.headers);
  const theirs = Object.keys(headers)
    .filter((name) => !isOwnHeader(name) || name === HEADER.cc)
    .map((name) => ({ name, bytes: roughBytes({ [name]: headers[name] as HeaderValue }) }))
    .sort((left, right) => right.bytes - left.bytes);
  if (theirs.length === 0) return undefined;
  const total = theirs.reduce((sum, { bytes }) => sum + bytes, 0);
  const dropped = typeof headers[HEADER.dropped] === 'string' ? [headers[HEADER.dropped] as string] : [];
  let left = total;
  for (const { name, bytes } of theirs) {
    if (left <= total / 2) break;
    delete headers[name];
    dropped.push(name);
    left -= bytes;
  }
  headers[HEADER.dropped] = cut(dropped.join(', '), ERROR_CAP_BYTES);
  return { ...message, properties: { ...message.properties, headers } };
}

const STACK_CAP_BYTES = 4 * 1024;
const ERROR_CAP_BYTES = 1024;

/** What the client library writes at the most, less room for what the broker adds. */
const ROOM_BYTES = 2 * HEADERS_CAP_BYTES - 8 * 1024;

/** Error and stack, as far as there is room: the stack is given up first, then the error's text. */
function addError(headers: Headers, { error, failedError }: GivenUp): void {
  const room = ROOM_BYTES - roughBytes(headers);
  const text =
    errorText(error) + (failedError === undefined ? '' : `; then failed() threw ${errorText(failedError)}`);
  if (room > ERROR_CAP_BYTES) headers[HEADER.error] = cut(text, ERROR_CAP_BYTES);
  const stack = error instanceof Error ? error.stack : undefined;
  if (stack && room > ERROR_CAP_BYTES + STACK_CAP_BYTES) headers[HEADER.stack] = cut(stack, STACK_CAP_BYTES);
}

export function errorText(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`;
  try {
    return `threw ${JSON.stringify(error) ?? String(error)}`;
  } catch {
    return `threw a ${typeof error} that can't be shown`;
  }
}

/** Of an error's text, as much as a header of ours holds. */
export const cutErrorText = (error: unknown): string => cut(errorText(error), ERROR_CAP_BYTES);

function cut(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  // Cutting bytes may halve a character; what is left of it decodes as U+FFFD.
  return `${Buffer.from(text)
    .subarray(0, maxBytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`;
}

function roughBytes(headers: Headers): number {
  // JSON is never shorter than the wire form of texts, and near enough for the rest.
  return Buffer.byteLength(JSON.stringify(headers));
}
