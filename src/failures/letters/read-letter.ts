import { keyIdIn } from '../../encryption/envelope.js';
import type { DeadLetterReason } from '../../events.js';
import { HEADER, headersAsPublished, textIn } from '../../message/headers.js';
import type { Headers, MessageProperties } from '../../message/properties.js';
import { type BatchPosition, batchIn, isJob } from '../../message/wire/batch-header.js';
import { chainIn } from '../../message/wire/chain-header.js';
import { publishedAtOf } from '../../message/wire/published-at.js';
import { replayIn } from '../../message/wire/replay-header.js';
import { parseDue } from '../../topology/delays.js';
import { logicalNameOf } from '../../topology/generations.js';
import { type Names, workQueueOf } from '../../topology/names.js';
import { dueOrigin, originIn } from '../../topology/origin.js';
import { sharedNameOf } from '../../topology/process-queue.js';
import type { Delivery } from '../../transport/transport.js';
import type { ChainPosition, DeadLetter, DeadLetterSummary } from './dead-letter.js';
import { type ForeignStory, foreignStory } from './foreign-story.js';
import { letterId } from './letter-id.js';
import { withSource } from './letter-source.js';
import { editedIn, trashedIn } from './marks.js';

/** One entry of `x-death`, the broker's account of a message. */
interface Death {
  readonly queue?: unknown;
  readonly reason?: unknown;
  readonly exchange?: unknown;
  readonly 'routing-keys'?: unknown;
  readonly time?: unknown;
  readonly 'original-expiration'?: unknown;
}

/** The broker's reasons (https://www.rabbitmq.com/docs/dlx#effects) and Hopline's names for them. */
const BROKERS_REASONS: Readonly<Record<string, DeadLetterReason>> = {
  delivery_limit: 'delivery-limit',
  expired: 'expired',
  maxlen: 'overflow',
  rejected: 'rejected',
};

/** The circumstances of a failure, which differ by the way into the dead-letter queue. */
interface Story
  extends Pick<DeadLetterSummary, 'queue' | 'exchange' | 'routingKey' | 'reason' | 'by' | 'failedAt'> {
  /** The broker removes this property when it dead-letters. */
  readonly expiration: string | undefined;
  /** True if nobody but Hopline can have written its headers about attempts, a failure, edits and replays. */
  readonly isOurs: boolean;
  /** What another framework says in headers of its own. */
  readonly told?: Pick<ForeignStory, 'error' | 'stack' | 'handler' | 'attempts'> | undefined;
}

const NONE: Headers = Object.create(null);

/** Reads a message of a dead-letter queue, or of the lost queue of the delays. */
export function readLetter(delivery: Delivery, names: Names): DeadLetter {
  const { properties, body } = delivery;
  const { headers } = properties;
  const { expiration, isOurs, told, ...story } = storyOf(delivery, names);
  const own = isOurs ? headers : NONE;
  const userId = properties.userId ?? textIn(headers, HEADER.userId);
  const publishedAt = publishedAtOf(properties);
  const { headers: _, expiration: __, userId: ___, ...kept } = properties;
  const letter: DeadLetter = {
    id: letterId({ ...delivery, ...story }),
    ...story,
    deadQueue: delivery.queue,
    error: told?.error ?? textIn(own, HEADER.error),
    handler: told?.handler ?? textIn(own, HEADER.handler),
    version: textIn(own, HEADER.version),
    attempts: told?.attempts ?? countIn(own, HEADER.attempt),
    firstAttemptAt: dateIn(own, HEADER.firstAttemptAt),
    publishedAt: publishedAt === undefined ? undefined : new Date(publishedAt),
    bytes: body.length,
    encryptedWith: keyOf(headers),
    messageId: properties.messageId,
    stack: told?.stack ?? textIn(own, HEADER.stack),
    exceptions: countIn(own, HEADER.exceptions),
    releases: countIn(own, HEADER.releases),
    replay: replayIn(own)?.id,
    headers: headersAsPublished(headers),
    properties: {
      ...defined(kept),
      ...(expiration === undefined ? {} : { expiration }),
      ...(userId === undefined ? {} : { userId }),
    },
    // Headers that can't be read are missing in a replay.
    droppedHeaders: joined(textIn(headers, HEADER.dropped), delivery.unreadable),
    chain: chainPlace(headers),
    chainHeader: textIn(headers, HEADER.chain),
    batch: batchPosition(headers),
    batchHeader: textIn(headers, HEADER.batch),
    jobHeader: textIn(headers, HEADER.job),
    uniqueHeader: textIn(headers, HEADER.unique),
    encryptedHeader: textIn(headers, HEADER.encrypted),
    edited: editedIn(textIn(own, HEADER.edited)),
    editedHeader: textIn(own, HEADER.edited),
    trashed: delivery.queue === names.trash ? trashedIn(textIn(headers, HEADER.trashed)) : undefined,
    body,
  };
  return withSource(letter, delivery.source);
}

/** The small fields only, so that tens of thousands of summaries fit into memory. */
export function summaryOf(letter: DeadLetter): DeadLetterSummary {
  const { id, queue, deadQueue, exchange, routingKey, reason, by, error } = letter;
  const { handler, version } = letter;
  const { attempts, firstAttemptAt, failedAt, publishedAt, bytes, encryptedWith } = letter;
  const summary = { id, queue, deadQueue, exchange, routingKey, reason, by, error, handler, version };
  return { ...summary, attempts, firstAttemptAt, failedAt, publishedAt, bytes, encryptedWith };
}

function storyOf(delivery: Delivery, names: Names): Story {
  if (delivery.queue === names.delayLost) return lost(delivery, names);
  const deaths = deathsIn(delivery.properties.headers);
  // Hopline publishes its dead letters without `x-death`: an entry about this very queue is always the broker's
  // own.
  const own = workQueueOf(delivery.queue);
  const death = deaths.find(
    ({ queue }) =>
      typeof queue === 'string' &&
      (queue === own || sharedNameOf(queue) === own || logicalNameOf(queue) === own),
  );
  if (death) return brokers(delivery, { ...death, queue: own }, names);
  return delivery.properties.headers[HEADER.reason] === undefined
    ? others(delivery, deaths, names)
    : ours(delivery);
}

/** A message that neither Hopline nor a rule of its queue has put here: the queue is another application's, or somebody has moved it. */
function others(delivery: Delivery, deaths: readonly Death[], names: Names): Story {
  const { headers, expiration } = delivery.properties;
  const foreign = foreignStory(headers, delivery.queue);
  if (foreign) {
    const { error, stack, handler, attempts, ...story } = foreign;
    const told = { error, stack, handler, attempts };
    return {
      ...story,
      told,
      expiration: expiration ?? textIn(headers, HEADER.expiration),
      isOurs: false,
    };
  }
  const last = deaths.find(({ queue }) => typeof queue === 'string' && !names.isDelayed(queue));
  return last ? brokers(delivery, last, names) : ours(delivery);
}

function ours(delivery: Delivery): Story {
  const { headers } = delivery.properties;
  return {
    queue: textIn(headers, HEADER.queue) ?? workQueueOf(delivery.queue),
    ...(originIn(headers) ?? { exchange: delivery.exchange, routingKey: delivery.routingKey }),
    reason: (textIn(headers, HEADER.reason) as DeadLetterReason | undefined) ?? 'unknown',
    by: 'hopline',
    failedAt: dateIn(headers, HEADER.failedAt),
    expiration: delivery.properties.expiration ?? textIn(headers, HEADER.expiration),
    // Whatever says nothing of a failure was put here by another program.
    isOurs: headers[HEADER.reason] !== undefined,
  };
}

function brokers(delivery: Delivery, death: Death, names: Names): Story {
  const { headers } = delivery.properties;
  const exchange = String(death.exchange ?? '');
  const [routingKey = ''] = Array.isArray(death['routing-keys']) ? death['routing-keys'].map(String) : [];
  // Hopline's headers count only where receive() believes them.
  const cameThroughUs = names.carriesOrigin(exchange);
  const ownExpiration = death['original-expiration'];
  return {
    queue: String(death.queue),
    ...((cameThroughUs && (originIn(headers) ?? dueOrigin(routingKey))) || { exchange, routingKey }),
    reason: BROKERS_REASONS[String(death.reason)] ?? 'broker',
    by: 'broker',
    failedAt: death.time instanceof Date ? death.time : undefined,
    expiration: typeof ownExpiration === 'string' ? ownExpiration : textIn(headers, HEADER.expiration),
    isOurs: cameThroughUs && exchange !== '',
  };
}

/** The message came out of the delay queues, and no queue took it: its routing key has the destination. */
function lost(delivery: Delivery, names: Names): Story {
  const { headers } = delivery.properties;
  const due = parseDue(delivery.routingKey);
  const [lastLevel] = deathsIn(headers);
  return {
    queue: due?.kind === 'q' ? due.destination : undefined,
    ...(originIn(headers) ??
      dueOrigin(delivery.routingKey) ?? { exchange: delivery.exchange, routingKey: delivery.routingKey }),
    reason: 'unroutable',
    by: 'broker',
    failedAt: lastLevel?.time instanceof Date ? lastLevel.time : undefined,
    expiration: textIn(headers, HEADER.expiration),
    isOurs: names.isDelayed(delivery.exchange),
  };
}

/** Newest first. */
function deathsIn(headers: Headers): Death[] {
  const deaths = headers['x-death'];
  if (!Array.isArray(deaths)) return [];
  return deaths.filter((each) => typeof each === 'object' && each !== null) as Death[];
}

function chainPlace(headers: Headers): ChainPosition | undefined {
  const chain = chainIn(headers);
  if (!chain || chain instanceof Error) return undefined;
  const { id, number, rest, finished, failure } = chain;
  const keys = rest.map(({ key }) => key);
  return { id, number, of: number + rest.length, rest: keys, finished, failed: failure?.key };
}

function batchPosition(headers: Headers): BatchPosition | undefined {
  const chain = chainIn(headers);
  if (chain && !(chain instanceof Error) && chain.batch) return chain.batch;
  const mark = batchIn(headers);
  return mark && !(mark instanceof Error) && isJob(mark) ? mark : undefined;
}

function keyOf(headers: Headers): string | undefined {
  const header = headers[HEADER.encrypted];
  return header === undefined ? undefined : (keyIdIn(header) ?? 'unreadable');
}

function countIn(headers: Headers, name: string): number | undefined {
  const value = headers[name];
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

function dateIn(headers: Headers, name: string): Date | undefined {
  const at = Date.parse(textIn(headers, name) ?? '');
  return Number.isNaN(at) ? undefined : new Date(at);
}

/** The client library sets missing properties to undefined. */
function defined(properties: MessageProperties): MessageProperties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

function joined(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.filter((text) => text !== undefined).join(', ') || undefined;
}
