import { InvalidMessageError } from '../../errors.js';
import { HEADER, setAside } from '../../message/headers.js';
import type { Destination, OutgoingMessage } from '../../message/message.js';
import type { Headers, MessageProperties } from '../../message/properties.js';
import type { MessageSource } from '../../message/wire/encoded-properties.js';
import { decodeHeaders } from '../../message/wire/header-codec.js';
import { encodeReplay } from '../../message/wire/replay-header.js';
import { jsonLine } from '../../util/text/json-lines.js';
import { DEAD_LETTER_REASONS } from '../filter.js';
import type { DeadLetter } from './dead-letter.js';
import { headersJson, propertiesJson, sourceOfJson } from './letter-json.js';

/*
 * A dead letter as one line of JSON, and back. The format is a promise: whoever changes it incompatibly raises
 * `v`. Version 2 has headers and properties as they are on the wire (see field-json.ts); version 1 had headers
 * as JavaScript values.
 */

const VERSION = 2;

export function encodeLine(letter: DeadLetter): string {
  const { bytes: _, messageId: __, by: ___, chain: ____, batch: _____, ...rest } = letter;
  const { edited: ______, trashed: _______, ...described } = rest;
  // Undefined fields are left out, Dates become ISO texts.
  return jsonLine({
    v: VERSION,
    ...described,
    properties: propertiesJson(letter),
    headers: headersJson(letter),
    body: letter.body.toString('base64'),
  });
}

/** Content of a line, checked as far as publishing needs it. */
export interface LetterLine {
  readonly queue: string | undefined;
  readonly exchange: string;
  readonly routingKey: string;
  readonly reason: string;
  readonly headers: Headers;
  readonly properties: MessageProperties;
  readonly body: Buffer;
  /** Received form, if the line has it. */
  readonly source: MessageSource | undefined;
  /** Headers of Hopline's that describe the failure. */
  readonly story: Headers;
}

/** Headers of Hopline's that a line keeps, by their names in the line. */
const STORY = {
  error: HEADER.error,
  stack: HEADER.stack,
  handler: HEADER.handler,
  version: HEADER.version,
  attempts: HEADER.attempt,
  exceptions: HEADER.exceptions,
  releases: HEADER.releases,
  firstAttemptAt: HEADER.firstAttemptAt,
  failedAt: HEADER.failedAt,
  droppedHeaders: HEADER.dropped,
  chainHeader: HEADER.chain,
  batchHeader: HEADER.batch,
  jobHeader: HEADER.job,
  uniqueHeader: HEADER.unique,
  encryptedHeader: HEADER.encrypted,
  editedHeader: HEADER.edited,
} as const;

/** @throws InvalidMessageError with the problem of the line */
export function decodeLine(text: string): LetterLine {
  try {
    const line = JSON.parse(text) as Record<string, unknown>;
    if (typeof line !== 'object' || line === null) throw new Error('expected an object');
    if (line.v !== VERSION && line.v !== 1)
      throw new Error(`expected v to be 1 or ${VERSION}, got ${JSON.stringify(line.v)}`);
    const body = textOf(line, 'body');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) throw new Error('expected body to be base64');
    const reason = textOf(line, 'reason');
    if (!DEAD_LETTER_REASONS.some((known) => known === reason)) throw new Error(`unknown reason '${reason}'`);
    return {
      queue: line.queue === undefined ? undefined : textOf(line, 'queue'),
      exchange: textOf(line, 'exchange'),
      routingKey: textOf(line, 'routingKey'),
      reason,
      ...(line.v === 1 ? valuesOf(line) : encodedOf(line)),
      body: Buffer.from(body, 'base64'),
      story: storyOf(line),
    };
  } catch (error) {
    throw new InvalidMessageError(
      `not a line of an export: ${(error as Error).message}`,
      'Import only lines that `hopline failed export` has written; the other lines of the file are imported.',
    );
  }
}

function textOf(line: Record<string, unknown>, name: string): string {
  const value = line[name];
  if (typeof value !== 'string') throw new Error(`expected ${name} to be a string, got ${typeof value}`);
  return value;
}

type Content = Pick<LetterLine, 'headers' | 'properties' | 'source'>;

function encodedOf(line: Record<string, unknown>): Content {
  const source = sourceOfJson(line);
  const { headers = {}, ...properties } = source.read;
  return { headers, properties, source };
}

function valuesOf(line: Record<string, unknown>): Content {
  const { headers: _, ...properties } = sourceOfJson({ ...line, headers: {} }).read;
  return { headers: decodeHeaders(line.headers), properties, source: undefined };
}

function storyOf(line: Record<string, unknown>): Headers {
  const story: Headers = Object.create(null);
  for (const [name, header] of Object.entries(STORY)) {
    const value = line[name];
    if (value === undefined) continue;
    if (typeof value !== 'string' && typeof value !== 'number')
      throw new Error(`expected ${name} to be a string or a number`);
    story[header] = value;
  }
  if (typeof line.replay === 'string') story[HEADER.replay] = encodeReplay({ id: line.replay });
  return story;
}

/**
 * The dead letter as a message to its dead-letter queue. The broker's account of its death is replaced by
 * Hopline's headers.
 */
export function deadLetterOf(line: LetterLine, deadlineMs: number): OutgoingMessage {
  const { source } = line;
  const { expiration, userId, priority, ...kept } = line.properties;
  const headers: Headers = Object.assign(Object.create(null), line.headers, line.story);
  setAside(headers);
  headers[HEADER.exchange] = line.exchange;
  headers[HEADER.routingKey] = line.routingKey;
  // As a property it would end the message in this queue.
  if (expiration !== undefined) headers[HEADER.expiration] = expiration;
  if (userId !== undefined) headers[HEADER.userId] = userId;
  const properties = { ...kept, headers, deliveryMode: 2 };
  const content = { body: line.body, properties, priority, ...(source ? { source } : {}) };
  return { ...destinationOf(line, headers), ...content, mustRoute: true, deadlineMs };
}

function destinationOf({ reason, queue }: LetterLine, headers: Headers): Destination {
  if (reason === 'unroutable') return { to: 'lost', queue };
  headers[HEADER.reason] = reason;
  headers[HEADER.queue] = queue ?? '';
  return { to: 'dead-letters', queue: queue ?? '' };
}
