import type { Arguments, ArgumentValue } from '../message/exchange-option.js';
import { type Check, didYouMean, flag, show } from '../util/check.js';
import { atLeast, type Version } from './broker-version.js';
import type { QueueType } from './bus-topology.js';
import type { QueueArguments } from './plan.js';

/*
 * The arguments of queues that RabbitMQ knows, as far as they may be given beside Hopline's own. What it does with each was tried on
 * 3.10.8, 4.0.5 and 4.3.6; for versions between it is what its documentation says. What it doesn't know, it ignores without a word.
 */

/** Versions that heed an argument; all if it says nothing. */
interface Heeded {
  readonly since?: Version;
  /** First version that doesn't heed it any more. */
  readonly until?: Version;
}

interface KnownArgument {
  readonly value: Check;
  /** Types of queue that may have it. */
  readonly on: Readonly<Partial<Record<QueueType, Heeded>>>;
  /**
   * From which version on the broker refuses a declaration with another value of it than the queue has. @default all, also those that don't
   * heed it
   */
  readonly comparedSince?: Version | 'never';
}

const whole: Check = {
  expected: 'a whole number from 0',
  accepts: (value) => typeof value === 'number' && value >= 0,
};
const positive: Check = {
  expected: 'a whole number from 1',
  accepts: (value) => typeof value === 'number' && value >= 1,
};
const oneOf = (...values: readonly ArgumentValue[]): Check => ({
  expected: values.map(show).join(' or '),
  accepts: (value) => values.includes(value as ArgumentValue),
});

const ON_BOTH = { classic: {}, quorum: {} };
/** What 4.3 has brought. */
const OF_4_3 = { on: { quorum: { since: [4, 3] } }, comparedSince: [4, 3] } as const;

const KNOWN: Readonly<Record<string, KnownArgument>> = {
  'x-max-length': { value: whole, on: ON_BOTH },
  'x-max-length-bytes': { value: whole, on: ON_BOTH },
  'x-overflow': { value: oneOf('drop-head', 'reject-publish', 'reject-publish-dlx'), on: { classic: {} } },
  'x-message-ttl': { value: whole, on: ON_BOTH },
  'x-expires': { value: positive, on: ON_BOTH },
  'x-single-active-consumer': { value: flag, on: ON_BOTH },
  // 3.10 refuses it on a classic queue.
  'x-queue-leader-locator': { value: oneOf('client-local', 'balanced'), on: ON_BOTH },
  'x-quorum-initial-group-size': { value: positive, on: { quorum: {} } },
  'x-quorum-target-group-size': {
    value: positive,
    on: { quorum: { since: [3, 13] } },
    comparedSince: 'never',
  },
  'x-max-in-memory-length': { value: whole, on: { quorum: { until: [4, 0] } } },
  'x-max-in-memory-bytes': { value: whole, on: { quorum: { until: [4, 0] } } },
  // 4.3 refuses it on a classic queue.
  'x-consumer-timeout': {
    value: positive,
    on: { classic: { since: [3, 12], until: [4, 3] }, quorum: { since: [3, 12] } },
    comparedSince: [4, 3],
  },
  'x-consumer-disconnected-timeout': { value: positive, ...OF_4_3 },
  'x-delayed-retry-type': { value: oneOf('disabled', 'all', 'failed', 'returned'), ...OF_4_3 },
  'x-delayed-retry-min': { value: whole, ...OF_4_3 },
  'x-delayed-retry-max': { value: whole, ...OF_4_3 },
  'x-queue-mode': { value: oneOf('default', 'lazy'), on: { classic: { until: [3, 12] } } },
  'x-queue-version': { value: oneOf(1, 2), on: { classic: {} } },
};

/** True if the queue may refuse, or drop, what comes while it is full. */
export const mayBeFull = (its: Arguments = {}): boolean =>
  its['x-max-length'] !== undefined || its['x-max-length-bytes'] !== undefined;

const THROUGH_HOPLINE =
  "leave it out: dead letters go into <queue>.dead, through an exchange of Hopline's own";

/** Arguments that Hopline sets itself, each with what to do instead. */
const OWNED: Readonly<Record<string, string>> = {
  'x-queue-type': 'say type',
  'x-delivery-limit': 'say deliveryLimit',
  'x-max-priority': 'say maxPriority',
  'x-dead-letter-exchange': THROUGH_HOPLINE,
  'x-dead-letter-routing-key': THROUGH_HOPLINE,
  'x-dead-letter-strategy': "leave it out: Hopline's quorum queues dead-letter at least once",
  'x-queue-master-locator':
    "say 'x-queue-leader-locator': RabbitMQ 4.3 ends the connection for the older name",
};

/** What is wrong with the arguments for a queue of this type, as sentences without a subject; the broker isn't asked. */
export function argumentProblems(type: QueueType, given: Arguments): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const instead = OWNED[name];
    if (instead !== undefined) return [`has the argument '${name}', which Hopline sets itself: ${instead}`];
    if (name === 'x-overflow' && type === 'quorum')
      return [
        "has the argument 'x-overflow': Hopline declares 'reject-publish' on quorum queues, without which dead letters may be lost; leave it out, or say type: 'classic'",
      ];
    const known = KNOWN[name];
    // The broker's version, or a plugin, may know it.
    if (!known) return [];
    if (!known.on[type]) {
      const other = type === 'quorum' ? 'classic' : 'quorum';
      return [
        `has the argument '${name}', which only a ${other} queue has: leave it out, or say type: '${other}'`,
      ];
    }
    return known.value.accepts(value)
      ? []
      : [`has the argument '${name}' with ${show(value)}: expected ${known.value.expected}`];
  });
}

/** An argument that a queue is declared with, and that does nothing there. */
export interface Unheeded {
  readonly argument: string;
  /** Why, as a sentence's end that says nothing of the queue. */
  readonly why: string;
}

/**
 * The arguments of a declared queue that a version of the broker ignores.
 *
 * @param isSince true if the broker is of this version, or a later one
 */
export function unheededArguments(
  { 'x-queue-type': type = 'classic', ...args }: QueueArguments,
  isSince: (version: Version) => boolean,
): Unheeded[] {
  return Object.keys(args).flatMap((argument) => {
    // Hopline's own, which every version that it supports heeds.
    if (OWNED[argument] !== undefined || argument === 'x-overflow') return [];
    const heeded = KNOWN[argument]?.on[type];
    if (!heeded)
      return [
        { argument, why: `no version that Hopline knows has it${didYouMean(argument, Object.keys(KNOWN))}` },
      ];
    const { since, until } = heeded;
    if (since && !isSince(since))
      return [{ argument, why: `it is heeded from RabbitMQ ${since.join('.')} on` }];
    if (until && isSince(until))
      return [{ argument, why: `it was heeded before RabbitMQ ${until.join('.')}` }];
    return [];
  });
}

/** First version that may know arguments of which this file knows nothing. */
const NOT_TRIED: Version = [4, 4];

/**
 * True if the broker refuses to declare a queue that has another value of this argument. What it doesn't know it doesn't compare, and the
 * queue stays as it is.
 */
export function isCompared(
  argument: string,
  { product, version }: { readonly product: string; readonly version: string },
): boolean {
  if (product !== 'RabbitMQ' || OWNED[argument] !== undefined) return true;
  const isSince = atLeast(version);
  const known = KNOWN[argument];
  if (!known) return argument.startsWith('x-') && isSince(NOT_TRIED);
  const { comparedSince } = known;
  return comparedSince === undefined || (comparedSince !== 'never' && isSince(comparedSince));
}
