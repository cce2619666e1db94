import type { DeadLetterReason } from '../../events.js';
import { HEADER, HEADERS_CAP_BYTES, isBrokerHeader, setAside, textIn } from '../../message/headers.js';
import type { OutgoingContent, OutgoingMessage, OutgoingProperties } from '../../message/message.js';
import { datelessMessageId } from '../../message/message-id.js';
import type { Headers, HeaderValue } from '../../message/properties.js';
import { keptHeaders, type MessageSource } from '../../message/wire/encoded-properties.js';
import { fittingProperties } from '../../message/wire/fitting-properties.js';
import { ttlOf } from '../../message/wire/outgoing-fields.js';
import { encodeReplay } from '../../message/wire/replay-header.js';
import {
  cutStack,
  ERROR_CAP_BYTES,
  givenUpText,
  STACK_CAP_BYTES,
} from '../../pipeline/errors/error-header.js';
import type { Received } from '../../pipeline/received.js';
import { cutText } from '../../util/text/cut-text.js';

/*
 * What a delivery becomes when it travels on: byte for byte the same body, properties and headers, but for ours, for the
 * broker's own headers, and for what would act again on the way.
 */

/** Counters of the next attempt. */
export interface NextAttempt {
  readonly attempt: number;
  readonly exceptions: number;
  readonly releases: number;
  readonly firstAttemptAt: number | undefined;
  /** Milliseconds of attempts and pauses when the attempt begins; undefined if they were not counted. */
  readonly elapsedMs: number | undefined;
  readonly unhandledSince: number | undefined;
  /** Lease of the attempt that it comes back from, or that its own attempt follows. */
  readonly follows: string | undefined;
  /** True if it was delivered before, and its handler may have begun. */
  readonly redelivered?: boolean;
}

/** The message on its way back to the queue it came from, after a delay. */
export function delayedCopy(
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
  if (next.follows !== undefined) headers[HEADER.follows] = next.follows;
  return { to: 'queue', queue: received.delivery.queue, delayMs, ...content(received, headers, deadlineMs) };
}

/** The message on its way to another queue, as far as it has come. */
export function movedCopy(received: Received, queue: string, deadlineMs: number): OutgoingMessage {
  // How long a handler was missing is another queue's affair.
  const asItIs = { ...received, unhandledSince: undefined };
  // No delay is in the way of its expiration.
  const ttlMs = ttlOf(received.delivery.properties.expiration);
  return { ...delayedCopy(received, 0, asItIs, deadlineMs), to: 'queue', queue, ttlMs };
}

/** Why and when a message was given up. */
export interface GivenUp {
  readonly reason: DeadLetterReason;
  readonly error: unknown;
  /** Error that `failed()` threw, if it did. */
  readonly failedError?: unknown;
  /** Why its copy could not be sent, if it was to come back. */
  readonly unsent?: unknown;
  /** Headers of ours that are others than it came with. */
  readonly headers?: Headers | undefined;
  /** Number of its last attempt, and throws in all. */
  readonly attempt: number;
  readonly exceptions: number;
  readonly firstAttemptAt: number;
  readonly failedAt: number;
  /** Name of the handler that gave it up; undefined if none was found for it. */
  readonly handler?: string | undefined;
  /** Version of the application. */
  readonly version?: string | undefined;
}

/** The message on its way to its dead-letter queue. */
export function deadLetter(received: Received, givenUp: GivenUp, deadlineMs: number): OutgoingMessage {
  const headers = travellingHeaders(received);
  Object.assign(headers, givenUp.headers);
  addStory(headers, received, givenUp);
  return { to: 'dead-letters', queue: received.delivery.queue, ...content(received, headers, deadlineMs) };
}

function addStory(headers: Headers, received: Received, givenUp: GivenUp): void {
  headers[HEADER.attempt] = givenUp.attempt;
  headers[HEADER.exceptions] = givenUp.exceptions;
  if (received.releases > 0) headers[HEADER.releases] = received.releases;
  headers[HEADER.firstAttemptAt] = new Date(givenUp.firstAttemptAt).toISOString();
  headers[HEADER.failedAt] = new Date(givenUp.failedAt).toISOString();
  headers[HEADER.queue] = received.delivery.queue;
  headers[HEADER.reason] = givenUp.reason;
  if (givenUp.handler !== undefined) headers[HEADER.handler] = cutText(givenUp.handler, NAME_CAP_BYTES);
  if (givenUp.version !== undefined) headers[HEADER.version] = givenUp.version;
  addError(headers, received.delivery.source, givenUp);
}

/** Written anew for each hop, so that none is left from an earlier death, or from a publisher who forged it. */
const REWRITTEN: ReadonlySet<string> = new Set<string>([
  ...[HEADER.attempt, HEADER.exceptions, HEADER.releases, HEADER.firstAttemptAt, HEADER.elapsed],
  ...[HEADER.crashes, HEADER.guardOf, HEADER.lease, HEADER.follows],
  HEADER.unhandledSince,
  HEADER.redelivered,
  HEADER.replay,
  ...[HEADER.reason, HEADER.error, HEADER.stack, HEADER.failedAt],
  ...[HEADER.queue, HEADER.handler, HEADER.version],
  ...[HEADER.edited, HEADER.trashed],
]);

/** Headers that are never left out as long as they may fit; the carbon copies are the publisher's. */
const OURS: ReadonlySet<string> = new Set(
  Object.values(HEADER).filter((name) => name !== HEADER.cc && name !== HEADER.bcc),
);

function travellingHeaders(received: Received): Headers {
  const { delivery, exchange, routingKey, replay, run, crashes } = received;
  const { headers: old, expiration, userId } = delivery.properties;
  const headers: Headers = Object.create(null);
  for (const name of Object.keys(old)) {
    if (!isBrokerHeader(name) && !REWRITTEN.has(name)) headers[name] = old[name] as HeaderValue;
  }
  headers[HEADER.exchange] = exchange;
  headers[HEADER.routingKey] = routingKey;
  if (crashes > 0) headers[HEADER.crashes] = crashes;
  if (replay) headers[HEADER.replay] = encodeReplay(replay);
  if (run !== undefined) headers[HEADER.run] = run;
  const edited = editedOf(received);
  if (edited !== undefined) headers[HEADER.edited] = edited;
  // An expiration would end the delay early.
  if (expiration !== undefined) headers[HEADER.expiration] = expiration;
  // The broker refuses one that isn't the connection's own.
  if (userId !== undefined) headers[HEADER.userId] = userId;
  setAside(headers);
  return headers;
}

/** Who has edited it, unless a publisher says so. */
const editedOf = ({ isTravelling, delivery }: Received): string | undefined =>
  isTravelling ? textIn(delivery.properties.headers, HEADER.edited) : undefined;

function content(received: Received, headers: Headers, deadlineMs: number): OutgoingContent {
  const { delivery } = received;
  const { source, body } = delivery;
  // Headers in the bytes in which they came fit, whatever they are.
  const { fitting, unfit } = source
    ? { fitting: delivery.properties, unfit: [] }
    : fittingProperties(delivery.properties);
  const { expiration: _, userId: __, priority, ...kept } = fitting;
  nameDropped(headers, delivery.unreadable === undefined ? unfit : [...unfit, delivery.unreadable]);
  const properties: OutgoingProperties = {
    ...kept,
    headers,
    messageId: idOf(received),
    deliveryMode: 2,
  };
  // A missing queue must be an error here, or the ack that follows would lose the message.
  return { body, properties, priority, mustRoute: true, deadlineMs, ...(source ? { source } : {}) };
}

/** Value as it came, if its bytes go out; else as it can be written. */
function idOf({ delivery, messageId }: Received): string {
  const { messageId: own } = delivery.properties;
  if (own && delivery.source?.read.messageId === own) return own;
  return messageId ?? datelessMessageId();
}

/**
 * The same message with about half as much of its publisher's headers, the largest left out and named in a header of
 * ours; undefined if none is left. For what came from a foreign client, and is more than AMQP can carry with ours.
 */
export function lightened(message: OutgoingMessage): OutgoingMessage | undefined {
  const headers: Headers = Object.assign(Object.create(null), message.properties.headers);
  const sizes = keptSizes(message.source, headers);
  const theirs = Object.keys(headers)
    .filter((name) => !OURS.has(name))
    .map((name) => ({ name, bytes: sizes.get(name) ?? roughBytes({ [name]: headers[name] as HeaderValue }) }))
    .sort((left, right) => right.bytes - left.bytes);
  if (theirs.length === 0) return undefined;
  const total = theirs.reduce((sum, { bytes }) => sum + bytes, 0);
  const dropped: string[] = [];
  let left = total;
  for (const { name, bytes } of theirs) {
    if (left <= total / 2) break;
    delete headers[name];
    dropped.push(name);
    left -= bytes;
  }
  nameDropped(headers, dropped);
  return { ...message, properties: { ...message.properties, headers } };
}

/** Beside those that were left out before. */
function nameDropped(headers: Headers, names: readonly string[]): void {
  if (names.length === 0) return;
  const before = headers[HEADER.dropped];
  const all = typeof before === 'string' ? [before, ...names] : names;
  headers[HEADER.dropped] = cutText(all.join(', '), ERROR_CAP_BYTES);
}

/** Properties that the least dead letter keeps, as far as they are text and there is room: without them it is another message. */
const CARRIED = [HEADER.chain, HEADER.batch, HEADER.encrypted, HEADER.unique, HEADER.job] as const;

/**
 * The same dead letter in a form that always fits: of its headers only ours, and only those that a letter has; of these no more
 * than the client library can write. What is left out is named. The body is what it was.
 */
export function leastLetter(received: Received, givenUp: GivenUp, deadlineMs: number): OutgoingMessage {
  const { headers: came } = received.delivery.properties;
  const old: Headers = Object.assign(Object.create(null), came, givenUp.headers);
  const headers: Headers = Object.create(null);
  headers[HEADER.exchange] = cutText(received.exchange, ERROR_CAP_BYTES);
  headers[HEADER.routingKey] = cutText(received.routingKey, ERROR_CAP_BYTES);
  if (received.replay) headers[HEADER.replay] = encodeReplay(received.replay);
  const edited = editedOf(received);
  if (edited !== undefined) headers[HEADER.edited] = cutText(edited, ERROR_CAP_BYTES);
  let room = HEADERS_CAP_BYTES;
  for (const name of CARRIED) {
    const value = old[name];
    if (typeof value !== 'string' || Buffer.byteLength(value) > room) continue;
    headers[name] = value;
    room -= Buffer.byteLength(value);
  }
  addStory(headers, received, givenUp);
  const dropped = Object.keys(old).filter((name) => !(name in headers || isBrokerHeader(name)));
  const letter = content(received, headers, deadlineMs);
  nameDropped(headers, dropped);
  return { to: 'dead-letters', queue: received.delivery.queue, ...letter };
}

const NAME_CAP_BYTES = 256;

/** Maximum bytes that the client library writes, less room for what the broker adds. */
const ROOM_BYTES = 2 * HEADERS_CAP_BYTES - 8 * 1024;

/** Error and stack, as far as there is room: the stack is given up first, then the error's text. */
function addError(headers: Headers, source: MessageSource | undefined, givenUp: GivenUp): void {
  const room = ROOM_BYTES - bytesOf(headers, source);
  if (room > ERROR_CAP_BYTES) headers[HEADER.error] = givenUpText(givenUp);
  const stack = cutStack(givenUp.error);
  if (stack && room > ERROR_CAP_BYTES + STACK_CAP_BYTES) headers[HEADER.stack] = stack;
}

/** Size of headers that go out in the bytes in which they came: exact, and all of one name together. */
function keptSizes(source: MessageSource | undefined, headers: Headers): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const { name, bytes } of source ? keptHeaders(source, headers) : [])
    sizes.set(name, (sizes.get(name) ?? 0) + bytes.length);
  return sizes;
}

function bytesOf(headers: Headers, source: MessageSource | undefined): number {
  const sizes = keptSizes(source, headers);
  const others = Object.entries(headers).filter(([name]) => !sizes.has(name));
  const kept = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  return kept + roughBytes(Object.fromEntries(others));
}

function roughBytes(headers: Headers): number {
  try {
    // JSON is never shorter than the wire form of texts, and near enough for the rest.
    return Buffer.byteLength(JSON.stringify(headers));
  } catch {
    // So deep that nobody can write it.
    return Number.MAX_SAFE_INTEGER;
  }
}
