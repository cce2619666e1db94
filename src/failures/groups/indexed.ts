import type { DeadLetterReason } from '../../events.js';
import type { Headers } from '../../message/properties.js';
import type { Names } from '../../topology/names.js';
import type { Delivery } from '../../transport/transport.js';
import type { ChainPosition, DeadLetter } from '../letters/dead-letter.js';
import { readLetter } from '../letters/read-letter.js';
import { fingerprintOf } from './fingerprint.js';
import type { Fingerprint, IndexedLetter } from './group.js';

/** Characters of an error that the index keeps; a fingerprint is made of all of it. */
const MOST_ERROR = 300;

/** What the letters of a group have in common, as long as no routing key differs. */
type Common = Pick<
  IndexedLetter,
  | 'queue'
  | 'deadQueue'
  | 'exchange'
  | 'routingKey'
  | 'reason'
  | 'by'
  | 'handler'
  | 'version'
  | 'encryptedWith'
  | 'group'
>;

/** What a letter belongs to; few belong to anything. */
type Belonging = Pick<IndexedLetter, 'chainId' | 'chain' | 'batchId' | 'replay'>;

/**
 * A letter as it lies in the index, which has tens of thousands: what many letters share is there once, and times are milliseconds since
 * 1970.
 */
export interface Kept
  extends Pick<
    IndexedLetter,
    'id' | 'messageId' | 'correlationId' | 'traceId' | 'error' | 'attempts' | 'bytes'
  > {
  /** The texts that no two letters share, in small letters: searching in one is faster than in each. */
  readonly own: string;
  readonly common: Common;
  /** Undefined if it belongs to nothing. */
  readonly belongs: Belonging | undefined;
  readonly failedAt: number | undefined;
  readonly firstAttemptAt: number | undefined;
  readonly publishedAt: number | undefined;
}

/** What a letter is, and its fingerprint. */
export interface Read {
  readonly kept: Kept;
  readonly fingerprint: Fingerprint;
}

/** What many letters share, and is there once. Bounded: where each letter has its own, remembering them would double what they cost. */
export class Shared {
  private readonly known = new Map<string, string>();
  private readonly prints = new Map<string, Fingerprint>();
  private readonly commons = new Map<string, Common>();

  fingerprint(print: Fingerprint): Fingerprint {
    const known = this.prints.get(print.id);
    if (known !== undefined) return known;
    if (this.prints.size >= MOST_SHARED) this.prints.clear();
    this.prints.set(print.id, print);
    return print;
  }

  /** @param made made of texts that are there once */
  common(made: Common): Common {
    const key = JSON.stringify(Object.values(made));
    const known = this.commons.get(key);
    if (known !== undefined) return known;
    if (this.commons.size >= MOST_SHARED) this.commons.clear();
    this.commons.set(key, made);
    return made;
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
  const common = shared.common({
    queue: shared.once(letter.queue),
    deadQueue: shared.once(letter.deadQueue),
    exchange: shared.once(letter.exchange),
    routingKey: shared.once(letter.routingKey),
    reason: shared.once<string>(reason) as DeadLetterReason,
    by: letter.by,
    handler: shared.once(letter.handler),
    version: shared.once(letter.version),
    encryptedWith: shared.once(letter.encryptedWith),
    group: shared.once(fingerprint.id),
  });
  const kept: Kept = {
    own,
    id,
    messageId,
    common,
    error: shared.once(shortened(letter.error)),
    attempts: letter.attempts,
    failedAt: failedAt?.getTime(),
    firstAttemptAt: firstAttemptAt?.getTime(),
    publishedAt: publishedAt?.getTime(),
    bytes,
    correlationId,
    traceId,
    belongs: belongingOf(letter, shared),
  };
  return { kept, fingerprint };
}

/** Field by field: a copy by `...` takes several times the memory, and this is done for each letter that is looked at. */
export function indexed(kept: Kept): IndexedLetter {
  const { common, belongs } = kept;
  return {
    id: kept.id,
    queue: common.queue,
    deadQueue: common.deadQueue,
    exchange: common.exchange,
    routingKey: common.routingKey,
    reason: common.reason,
    by: common.by,
    error: kept.error,
    handler: common.handler,
    version: common.version,
    attempts: kept.attempts,
    firstAttemptAt: dateOf(kept.firstAttemptAt),
    failedAt: dateOf(kept.failedAt),
    publishedAt: dateOf(kept.publishedAt),
    bytes: kept.bytes,
    encryptedWith: common.encryptedWith,
    group: common.group,
    messageId: kept.messageId,
    correlationId: kept.correlationId,
    traceId: kept.traceId,
    chainId: belongs?.chainId,
    chain: belongs?.chain,
    batchId: belongs?.batchId,
    replay: belongs?.replay,
  };
}

export const dateOf = (at: number | undefined): Date | undefined =>
  at === undefined ? undefined : new Date(at);

/** Steps that are to come, of a chain of any length: an index of many letters can't hold them all. */
const MOST_STEPS = 10;

function belongingOf({ chain, batch, replay }: DeadLetter, shared: Shared): Belonging | undefined {
  if (chain === undefined && batch === undefined && replay === undefined) return undefined;
  return {
    chainId: chain?.id,
    chain: placeIn(chain, shared),
    batchId: batch?.id,
    replay: shared.once(replay),
  };
}

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
