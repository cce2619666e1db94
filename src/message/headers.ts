import { InvalidMessageError, MessageTooLargeError } from '../errors.js';
import type { Headers, HeaderValue, MessageProperties } from './properties.js';

/**
 * Names of the headers that Hopline writes. A first publish has none of them, except those of chains, batches,
 * unique and encrypted messages.
 */
export const HEADER = {
  /** Number of the attempt of this delivery; a missing header means 1. On a dead letter: number of the last attempt. */
  attempt: 'hopline-attempt',
  /** Number of throws by handlers; releases don't count. */
  exceptions: 'hopline-exceptions',
  /** Number of releases. */
  releases: 'hopline-releases',
  /** ISO time of the first attempt. */
  firstAttemptAt: 'hopline-first-attempt-at',
  /** Milliseconds of attempts and pauses since the first attempt began. */
  elapsed: 'hopline-elapsed-ms',
  /** True if the message was delivered before: the broker's own flag is lost when a copy is published. */
  redelivered: 'hopline-redelivered',
  /** Number of times that the lease of its run has ended without it; see features/long/. */
  crashes: 'hopline-crashes',
  /** Of a guard: the queue that its message is of, and the lease that it waits for; see consume/settle/guard-copies.ts. */
  guardOf: 'hopline-guard-of',
  lease: 'hopline-lease',
  /** Lease of the attempt that the message comes back from, which is over since it has been sent; see features/long/. */
  follows: 'hopline-follows',
  /** ISO time since when no handler of the queue has matched the message; removed when one matches. */
  unhandledSince: 'hopline-unhandled-since',
  /** Exchange and routing key of the publish, since a retry travels under others. */
  exchange: 'hopline-exchange',
  routingKey: 'hopline-routing-key',
  /** Properties that would act again on the way; a replay restores those that may be sent. */
  expiration: 'hopline-expiration',
  userId: 'hopline-user-id',
  cc: 'hopline-cc',
  bcc: 'hopline-bcc',
  /** Names of the publisher's headers that were left out because they and Hopline's together exceed AMQP's limit. */
  dropped: 'hopline-dropped-headers',
  /** Chain of the message, with all later steps; see chain-header.ts. */
  chain: 'hopline-chain',
  /** Job or notification of a batch; see batch-header.ts. */
  batch: 'hopline-batch',
  /** Traces of a pack's payloads, if they differ; see pack-traces.ts. */
  traces: 'hopline-traces',
  /** Record that the message has in the store of jobs; see job-header.ts. */
  job: 'hopline-job',
  /** Unique key of the message; see unique.ts. */
  unique: 'hopline-unique',
  /** Description of the body's encryption; see encryption/envelope.ts. */
  encrypted: 'hopline-encrypted',
  /** Replay that the message is part of, and that it is tried once; see replay-header.ts. */
  replay: 'hopline-replay',
  /** Name that a replay gives to its copy: what that does is not taken for what the message did before; see features/long/. */
  run: 'hopline-run',
  /** Of a request: the correlation id of its caller, since the property holds what its reply is found by. */
  correlationId: 'hopline-correlation-id',
  /** Of a reply that says how its responder failed; see reply.ts. */
  reply: 'hopline-reply',
  /** On dead letters only. */
  reason: 'hopline-reason',
  error: 'hopline-error',
  stack: 'hopline-stack',
  failedAt: 'hopline-failed-at',
  queue: 'hopline-queue',
  /** Name of the handler that gave the message up; missing if none was found for it. */
  handler: 'hopline-handler',
  /** Version of the application whose worker gave it up, if its bus has one. */
  version: 'hopline-version',
  /** Who has edited the message since its publish; see failures/letters/marks.ts. */
  edited: 'hopline-edited',
  /** In the trash only: who has forgotten the letter, when, and the queue that it was in. */
  trashed: 'hopline-trashed',
} as const;

const OWN_PREFIX = 'hopline-';

/**
 * Headers that the broker writes, and obeys when they come back: RabbitMQ 3.10 silently loses a message whose
 * old `x-death` makes a second trip look like a cycle.
 */
const BROKER_HEADER = /^x-(death|first-death-.*|last-death-.*|delivery-count|acquired-count)$/;

export function isBrokerHeader(name: string): boolean {
  return name.startsWith('x-') && BROKER_HEADER.test(name);
}

export function isOwnHeader(name: string): boolean {
  return name.startsWith(OWN_PREFIX);
}

/**
 * Headers by which the broker would route a message to further queues on every publish; renamed while the
 * message travels.
 */
const SET_ASIDE = { CC: HEADER.cc, BCC: HEADER.bcc } as const;

/** Renames the headers of a travelling message that the broker would obey. Changes its argument. */
export function setAside(headers: Headers): void {
  for (const [name, aside] of Object.entries(SET_ASIDE)) {
    const value = headers[name];
    if (value === undefined) continue;
    headers[aside] = value;
    delete headers[name];
  }
}

/** Headers of the publish, from those of a message that has travelled: renamed headers get their own names back. */
export function headersAsPublished(all: Readonly<Headers>): Headers {
  const headers = publisherHeaders(all);
  for (const [name, aside] of Object.entries(SET_ASIDE)) {
    const value = all[aside];
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

/**
 * Removes the headers that the broker would refuse, and returns their names. The broker strips `BCC` from what
 * it delivers: a delivered message with `BCC` came from another protocol, which ignored it.
 */
export function withoutUnroutable(headers: Headers): string[] {
  const refused = ['CC', 'BCC'].filter((name) => {
    const value = headers[name];
    return value !== undefined && (name === 'BCC' || !Array.isArray(value));
  });
  for (const name of refused) delete headers[name];
  return refused;
}

/** Headers of the publisher, without those that only Hopline or the broker may write. */
export function publisherHeaders(headers: Readonly<Headers>): Headers {
  const kept: Headers = Object.create(null);
  for (const name of Object.keys(headers)) {
    if (isOwnHeader(name) || isBrokerHeader(name)) continue;
    kept[name] = headers[name] as HeaderValue;
  }
  return kept;
}

export function textIn(headers: Readonly<Headers>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** Correlation id as the publisher gave it: of a request the property is what its reply is found by. */
export function correlationIdIn(properties: MessageProperties): string | undefined {
  const { headers = {}, correlationId } = properties;
  return textIn(headers, HEADER.correlationId) ?? correlationId;
}

/** A deep copy, as on the wire: without prototypes and undefined values. */
export function copyHeaders(headers: Readonly<Record<string, HeaderValue | undefined>>): Headers {
  const copy: Headers = Object.create(null);
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value !== undefined) copy[name] = copyValue(value);
  }
  return copy;
}

function copyValue(value: HeaderValue): HeaderValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Buffer.isBuffer(value)) return Buffer.from(value);
  if (value instanceof Date) return new Date(value);
  if (Array.isArray(value)) return value.map((item) => (item === undefined ? null : copyValue(item)));
  return copyHeaders(value as Readonly<Record<string, HeaderValue>>);
}

/**
 * Maximum size of a publisher's header table; the rest of the client's 64 KiB is room for Hopline's and the
 * broker's headers.
 */
export const HEADERS_CAP_BYTES = 32 * 1024;

/**
 * Checks headers for values that the client library would fail on later, or would silently change.
 *
 * @throws InvalidMessageError for a value that AMQP can't carry (bigint, symbol, function, a cycle, a name too
 * long)
 * @throws MessageTooLargeError above {@link HEADERS_CAP_BYTES}
 */
export function checkHeaders(headers: Readonly<Headers>): void {
  const bytes = tableBytes(headers, 'headers', 0);
  if (bytes > HEADERS_CAP_BYTES) {
    throw new MessageTooLargeError(
      `headers take ${bytes} bytes, the cap is ${HEADERS_CAP_BYTES}`,
      'Put large data into the payload, or store it elsewhere and send a reference.',
    );
  }
}

/** Deeper nesting is a mistake or a cycle. */
const MAX_DEPTH = 16;

function tableBytes(table: Readonly<Record<string, unknown>>, path: string, depth: number): number {
  let bytes = 4;
  for (const name of Object.keys(table)) {
    if (table[name] === undefined) continue;
    const nameBytes = Buffer.byteLength(name);
    if (nameBytes > 255)
      throw badHeader(`${path}.${name.slice(0, 20)}…`, 'a name of at most 255 bytes', `${nameBytes} bytes`);
    bytes += 1 + nameBytes + valueBytes(table[name], `${path}.${name}`, depth + 1);
  }
  return bytes;
}

/** Size of a field value on the wire, its type octet included (AMQP 0-9-1, section 4.2.5.5, as RabbitMQ reads it). */
function valueBytes(value: unknown, path: string, depth: number): number {
  if (depth > MAX_DEPTH) throw badHeader(path, `at most ${MAX_DEPTH} levels deep`, 'more (a cycle?)');
  if (value === null) return 1;
  switch (typeof value) {
    case 'string':
      return 5 + Buffer.byteLength(value);
    case 'boolean':
      return 2;
    case 'number':
      if (!isEncodable(value)) throw badHeader(path, 'a finite number that fits 64 bits', String(value));
      return 9;
    case 'object':
      if (Buffer.isBuffer(value)) return 5 + value.length;
      if (value instanceof Date) {
        if (!(value.getTime() >= 0)) throw badHeader(path, 'a date since 1970', 'another, or an invalid one');
        return 9;
      }
      if (Array.isArray(value)) {
        let bytes = 5;
        for (const [index, item] of value.entries())
          bytes += valueBytes(item, `${path}[${index}]`, depth + 1);
        return bytes;
      }
      if (Object.hasOwn(value, '!'))
        throw badHeader(
          path,
          "an object without the name '!', which the client library reserves",
          'one with it',
        );
      return 1 + tableBytes(value as Record<string, unknown>, path, depth);
    default:
      throw badHeader(
        path,
        'a string, number, boolean, null, Date, Buffer, array or object',
        `a ${typeof value}`,
      );
  }
}

/** The client library writes numbers above 2^50 as integers, and throws if they aren't. */
function isEncodable(value: number): boolean {
  if (!Number.isFinite(value) || value < -(2 ** 63)) return false;
  return Math.abs(value) < 2 ** 50 || Number.isInteger(value);
}

function badHeader(path: string, expected: string, got: string): InvalidMessageError {
  return new InvalidMessageError(
    `expected ${path} to be ${expected}, got ${got}`,
    'Change the header before publishing.',
  );
}
