import type { DeadLetterReason } from '../../events.js';
import type { Headers } from '../../message/properties.js';
import type { Names } from '../../topology/names.js';
import type { Delivery } from '../../transport/transport.js';
import type { ChainPosition } from '../letters/dead-letter.js';
import { readLetter } from '../letters/read-letter.js';
import { fingerprintOf } from './fingerprint.js';
import type { Fingerprint, IndexedLetter } from './group.js';

/** Characters of an error that the index keeps; a fingerprint is made of all of it. */
const MOST_ERROR = 300;

type Times = 'firstAttemptAt' | 'failedAt' | 'publishedAt';

/** A letter as it lies in the index: times are milliseconds since 1970, and shared that many letters share are there once. */
export type Kept = Omit<IndexedLetter, Times> & {
  readonly [Time in Times]: number | undefined;
} & {
  /** The texts that no two letters share, in small letters: searching in one is faster than in each. */
  readonly own: string;
};

/** What a letter is, and its fingerprint. */
export interface Read {
  readonly kept: Kept;
  readonly fingerprint: Fingerprint;
}

/** What many letters share, and is there once. Bounded: where each letter has its own, remembering them would double what they cost. */
export class Shared {
  private readonly known = new Map<string, string>();
  private readonly prints = new Map<string, Fingerprint>();

  fingerprint(print: Fingerprint): Fingerprint {
    const known = this.prints.get(print.id);
    if (known !== undefined) return known;
    if (this.prints.size >= MOST_SHARED) this.prints.clear();
    this.prints.set(print.id, print);
    return print;
  }

  once<T extends string | undefined>(text: T): T {
    if (text === undefined) return text;
    const known = this.known.get(text);
    if (known !== undefined) return known as T;
    if (this.known.size >= MOST_SHARED) this.known.clear();
    this.known.set(text, text);
    return text;
  }
}

const MOST_SHARED = 10_000;

/** Reads what the index keeps of a delivery, which is not referenced by it. @param bytes size of its body */
export function readForIndex(
  delivery: Delivery,
  names: Names,
  shared: Shared,
  bytes = delivery.body.length,
): Read {
  const letter = readLetter(delivery, names);
  const fingerprint = shared.fingerprint(fingerprintOf(letter));
  const { headers } = delivery.properties;
  const { id, messageId, failedAt, firstAttemptAt, publishedAt, reason } = letter;
  const { correlationId } = letter.properties;
  const traceId = traceIn(headers);
  const own = [id, messageId === id ? '' : messageId, correlationId, traceId].join('\n').toLowerCase();
  const kept: Kept = {
    own,
    id,
    messageId,
    queue: shared.once(letter.queue),
    deadQueue: shared.once(letter.deadQueue),
    exchange: shared.once(letter.exchange),
    routingKey: shared.once(letter.routingKey),
    reason: shared.once<string>(reason) as DeadLetterReason,
    by: letter.by,
    error: shared.once(shortened(letter.error)),
    handler: shared.once(letter.handler),
    version: shared.once(letter.version),
    attempts: letter.attempts,
    failedAt: failedAt?.getTime(),
    firstAttemptAt: firstAttemptAt?.getTime(),
    publishedAt: publishedAt?.getTime(),
    bytes,
    encryptedWith: shared.once(letter.encryptedWith),
    group: shared.once(fingerprint.id),
    correlationId,
    traceId,
    chainId: letter.chain?.id,
    chain: placeIn(letter.chain, shared),
    batchId: letter.batch?.id,
    replay: shared.once(letter.replay),
  };
  return { kept, fingerprint };
}

/** Field by field: a copy by `...` takes several times the memory, and this is done for each letter that is looked at. */
export function indexed(kept: Kept): IndexedLetter {
  return {
    id: kept.id,
    queue: kept.queue,
    deadQueue: kept.deadQueue,
    exchange: kept.exchange,
    routingKey: kept.routingKey,
    reason: kept.reason,
    by: kept.by,
    error: kept.error,
    handler: kept.handler,
    version: kept.version,
    attempts: kept.attempts,
    firstAttemptAt: dateOf(kept.firstAttemptAt),
    failedAt: dateOf(kept.failedAt),
    publishedAt: dateOf(kept.publishedAt),
    bytes: kept.bytes,
    encryptedWith: kept.encryptedWith,
    group: kept.group,
    messageId: kept.messageId,
    correlationId: kept.correlationId,
    traceId: kept.traceId,
    chainId: kept.chainId,
    chain: kept.chain,
    batchId: kept.batchId,
    replay: kept.replay,
  };
}

export const dateOf = (at: number | undefined): Date | undefined =>
  at === undefined ? undefined : new Date(at);

/** Steps that are to come, of a chain of any length: an index of many letters can't hold them all. */
const MOST_STEPS = 10;

function placeIn(chain: ChainPosition | undefined, shared: Shared): ChainPosition | undefined {
  if (chain === undefined) return undefined;
  const rest = chain.rest.slice(0, MOST_STEPS).map((key) => shared.once(key));
  return { ...chain, rest, failed: shared.once(chain.failed) };
}

/** A copy: a part of a text would keep the whole. */
function shortened(error: string | undefined): string | undefined {
  if (error === undefined || error.length <= MOST_ERROR) return error;
  return Buffer.from(`${error.slice(0, MOST_ERROR - 1)}…`).toString();
}

/** The second part of `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header). */
function traceIn({ traceparent }: Headers): string | undefined {
  const [, id] = (typeof traceparent === 'string' && /^[\da-f]{2}-([\da-f]{32})-/.exec(traceparent)) || [];
  return id;
}
