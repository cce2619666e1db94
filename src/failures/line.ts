import { InvalidMessageError } from '../errors.js';
import { decodeHeaders, encodeHeaders } from '../message/header-codec.js';
import { HEADER } from '../message/headers.js';
import type { Headers, MessageProperties, OutgoingMessage } from '../message/message.js';
import { dueKey } from '../topology/delays.js';
import type { Names } from '../topology/names.js';
import type { DeadLetter } from './dead-letter.js';
import { DEAD_LETTER_REASONS } from './filter.js';

/*
 * A dead letter as one line of JSON, and back. The format is a promise: `v` is raised by whoever breaks it.
 */

const VERSION = 1;

export function encodeLine(letter: DeadLetter): string {
  const { body, headers, bytes: _, messageId: __, by: ___, chain: ____, batch: _____, ...told } = letter;
  // Undefined fields are left out, Dates become ISO texts.
  return JSON.stringify({
    v: VERSION,
    ...told,
    headers: encodeHeaders(headers),
    body: body.toString('base64'),
  });
}

/** What a line says; checked as far as publishing needs it. */
export interface LetterLine {
  readonly queue: string | undefined;
  readonly exchange: string;
  readonly routingKey: string;
  readonly reason: string;
  readonly headers: Headers;
  readonly properties: MessageProperties;
  readonly body: Buffer;
  /** Headers of ours that tell its story. */
  readonly story: Headers;
}

/** What of a letter travels in a header of ours, by its name in the line. */
const STORY = {
  error: HEADER.error,
  stack: HEADER.stack,
  attempts: HEADER.attempt,
  exceptions: HEADER.exceptions,
  releases: HEADER.releases,
  firstAttemptAt: HEADER.firstAttemptAt,
  failedAt: HEADER.failedAt,
  droppedHeaders: HEADER.dropped,
  chainHeader: HEADER.chain,
  batchHeader: HEADER.batch,
  uniqueHeader: HEADER.unique,
  encryptedHeader: HEADER.encrypted,
} as const;

const TEXTS = [
  'type',
  'appId',
  'contentType',
  'contentEncoding',
  'correlationId',
  'replyTo',
  'expiration',
  'messageId',
  'userId',
] as const;
const NUMBERS = ['timestamp', 'priority', 'deliveryMode'] as const;

/** @throws InvalidMessageError that says what is wrong with the line */
export function decodeLine(text: string): LetterLine {
  try {
    const line = JSON.parse(text) as Record<string, unknown>;
    if (typeof line !== 'object' || line === null) throw new Error('expected an object');
    if (line.v !== VERSION) throw new Error(`expected v to be ${VERSION}, got ${JSON.stringify(line.v)}`);
    const body = textOf(line, 'body');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(body)) throw new Error('expected body to be base64');
    const reason = textOf(line, 'reason');
    if (!DEAD_LETTER_REASONS.some((known) => known === reason)) throw new Error(`unknown reason '${reason}'`);
    return {
      queue: line.queue === undefined ? undefined : textOf(line, 'queue'),
      exchange: textOf(line, 'exchange'),
      routingKey: textOf(line, 'routingKey'),
      reason,
      headers: decodeHeaders(line.headers),
      properties: propertiesOf(line.properties),
      body: Buffer.from(body, 'base64'),
      story: storyOf(line),
    };
  } catch (error) {
    throw new InvalidMessageError(
      `not a line of an export: ${(error as Error).message}`,
      'Import only what hopline failed export has written; every other line of the file is dealt with.',
    );
  }
}

function textOf(line: Record<string, unknown>, name: string): string {
  const value = line[name];
  if (typeof value !== 'string') throw new Error(`expected ${name} to be a string, got ${typeof value}`);
  return value;
}

function propertiesOf(given: unknown): MessageProperties {
  if (typeof given !== 'object' || given === null) throw new Error('expected properties to be an object');
  const properties: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const expected = TEXTS.some((each) => each === name)
      ? 'string'
      : NUMBERS.some((each) => each === name)
        ? 'number'
        : undefined;
    if (expected === undefined) throw new Error(`unknown property '${name}'`);
    if (typeof value !== expected) throw new Error(`expected property ${name} to be a ${expected}`);
    properties[name] = value;
  }
  return properties;
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
  return story;
}

/** The dead letter again, on its way to where it lay. What the broker had told is told by headers of ours now. */
export function deadLetterOf(names: Names, line: LetterLine, deadlineMs: number): OutgoingMessage {
  const { CC, ...own } = line.headers;
  const { expiration, userId, ...kept } = line.properties;
  const headers: Headers = Object.assign(Object.create(null), own, line.story);
  headers[HEADER.exchange] = line.exchange;
  headers[HEADER.routingKey] = line.routingKey;
  if (CC !== undefined) headers[HEADER.cc] = CC;
  // It would end it here.
  if (expiration !== undefined) headers[HEADER.expiration] = expiration;
  if (userId !== undefined) headers[HEADER.userId] = userId;
  const properties = { ...kept, headers, deliveryMode: 2 };
  return { ...placeOf(names, line, headers), body: line.body, properties, mandatory: true, deadlineMs };
}

function placeOf(names: Names, line: LetterLine, headers: Headers): { exchange: string; routingKey: string } {
  if (line.reason === 'unroutable') {
    // As the delays put it there, so that it reads the same.
    const routingKey = line.queue === undefined ? dueKey('c', 'lost') : dueKey('q', line.queue);
    return { exchange: names.delayUnrouted, routingKey };
  }
  const queue = line.queue ?? '';
  headers[HEADER.reason] = line.reason;
  headers[HEADER.queue] = queue;
  return { exchange: names.dead, routingKey: queue };
}
