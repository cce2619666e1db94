import type { UndecodableError } from '../errors.js';
import { HEADER, textIn } from '../message/headers.js';
import { fittingId } from '../message/message-id.js';
import type { Headers } from '../message/properties.js';
import { type UniqueMark, uniqueIn } from '../message/unique.js';
import { type BatchMark, batchIn } from '../message/wire/batch-header.js';
import { type ChainState, chainIn } from '../message/wire/chain-header.js';
import { type JobMark, jobIn } from '../message/wire/job-header.js';
import { type ReplayMark, replayIn } from '../message/wire/replay-header.js';
import type { Names } from '../topology/names.js';
import { dueOrigin, originIn } from '../topology/origin.js';
import type { Delivery } from '../transport/transport.js';

/** A delivery, with what its headers say about its way here. */
export interface Received {
  readonly delivery: Delivery;
  /** Exchange of the publish, on every attempt; so is the routing key. */
  readonly exchange: string;
  readonly routingKey: string;
  readonly messageId: string | undefined;
  /** Number of the attempt that it was delivered for. */
  readonly attempt: number;
  /** Throws so far. */
  readonly exceptions: number;
  readonly releases: number;
  /** Number of its runs under a lease that have ended with their process. */
  readonly crashes: number;
  /** Name of the lease under which the attempt was made that has sent it back; undefined if there was none. */
  readonly follows: string | undefined;
  /** True if it was delivered before, and not settled: by the broker's own flag, or that of the message it is a copy of. */
  readonly redelivered: boolean;
  /** Wall-clock milliseconds of the first attempt; undefined before it has begun. */
  readonly firstAttemptAt: number | undefined;
  /**
   * Milliseconds of attempts and pauses since the first attempt began, up to this delivery: what no clock that is wrong can
   * change. Undefined if it came from a version that did not count them.
   */
  readonly elapsedMs: number | undefined;
  /** Wall-clock milliseconds since which no handler has matched it. */
  readonly unhandledSince: number | undefined;
  /** Chain that it is a step of; an error if that can't be read. */
  readonly chain: ChainState | UndecodableError | undefined;
  /** Batch that it is a job of, or is sent for; an error if that can't be read. */
  readonly batch: BatchMark | UndecodableError | undefined;
  /** Mark of a message that has a record. */
  readonly job: JobMark | undefined;
  /** Mark of a unique message. */
  readonly unique: UniqueMark | undefined;
  /** Replay that it is part of: it is tried once. */
  readonly replay: ReplayMark | undefined;
  /** What tells it from other messages with its id: the replay that has sent it, or its death if a tool of the broker's has moved it. */
  readonly run: string | undefined;
  /** True if nobody but Hopline can have put it here, so that all of Hopline's headers on it count. */
  readonly isTravelling: boolean;
  /** True if it carries no mark of Hopline's, as of a chain, a batch, a unique message, a job or a replay, and can be read whole. */
  readonly isPlain: boolean;
}

/**
 * Reads a delivery. Our headers count only where only Hopline puts messages: behind the delays. A publisher that
 * copies an old message's headers, or forges them, starts at attempt 1. The origin is believed behind the default
 * exchange too, so that dead letters moved back by the broker's own tools find their handler, with all their tries.
 */
export function receive(delivery: Delivery, names: Names): Received {
  const { properties, exchange } = delivery;
  // An empty id, of which foreign clients send many, would make all its messages one.
  const messageId = properties.messageId ? fittingId(properties.messageId) : undefined;
  const chain = chainIn(properties.headers);
  const batch = batchOf(properties.headers, chain);
  const unique = uniqueIn(properties.headers);
  const job = jobIn(properties.headers, messageId);
  const isPlain = !(chain || batch || unique || job) && delivery.unreadable === undefined;
  if (!names.carriesOrigin(exchange)) {
    return {
      delivery,
      exchange,
      routingKey: delivery.routingKey,
      messageId,
      attempt: 1,
      exceptions: 0,
      releases: 0,
      crashes: 0,
      follows: undefined,
      redelivered: delivery.redelivered,
      firstAttemptAt: undefined,
      elapsedMs: 0,
      unhandledSince: undefined,
      chain,
      batch,
      job,
      unique,
      replay: undefined,
      // Believed of anybody: who forges one could as well choose the id.
      run: textIn(properties.headers, HEADER.run),
      isTravelling: false,
      isPlain,
    };
  }
  const { headers } = properties;
  const counted = exchange !== '';
  const replay = counted ? replayIn(headers) : undefined;
  const firstAttemptAt = counted ? moment(headers, HEADER.firstAttemptAt) : undefined;
  return {
    delivery,
    ...(originIn(headers) ?? dueOrigin(delivery.routingKey) ?? { exchange, routingKey: delivery.routingKey }),
    messageId,
    attempt: counted ? counter(headers, HEADER.attempt, 1) : 1,
    exceptions: counted ? counter(headers, HEADER.exceptions, 0) : 0,
    releases: counted ? counter(headers, HEADER.releases, 0) : 0,
    crashes: counted ? counter(headers, HEADER.crashes, 0) : 0,
    follows: counted ? textIn(headers, HEADER.follows) : undefined,
    redelivered: delivery.redelivered || (counted && headers[HEADER.redelivered] === true),
    firstAttemptAt,
    elapsedMs: firstAttemptAt === undefined ? 0 : countIn(headers, HEADER.elapsed, 0),
    unhandledSince: counted ? moment(headers, HEADER.unhandledSince) : undefined,
    chain,
    batch,
    job,
    unique,
    replay,
    run: (counted ? undefined : textIn(headers, HEADER.failedAt)) ?? textIn(headers, HEADER.run),
    isTravelling: counted,
    isPlain: isPlain && replay === undefined,
  };
}

/** A job that is a chain has it in the chain's header. */
function batchOf(headers: Headers, chain: Received['chain']): Received['batch'] {
  return chain && !(chain instanceof Error) && chain.batch ? chain.batch : batchIn(headers);
}

function counter(headers: Headers, name: string, otherwise: number): number {
  return countIn(headers, name, otherwise) ?? otherwise;
}

function countIn(headers: Headers, name: string, least: number): number | undefined {
  const value = headers[name];
  return Number.isSafeInteger(value) && Number(value) >= least ? Number(value) : undefined;
}

function moment(headers: Headers, name: string): number | undefined {
  const value = headers[name];
  const parsed = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}
