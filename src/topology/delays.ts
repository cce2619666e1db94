import { InvalidMessageError } from '../errors.js';
import { checkDelay, MAX_DELAY_MS, MIN_DELAY_MS } from '../message/delay-range.js';
import { MAX_NAME_BYTES } from '../message/routing/routing-key.js';
import type { BindingNeeds } from './bus-topology.js';
import { type Names, PROBE_EXCHANGE } from './names.js';
import type { Address, BindingPlan, ExchangePlan, QueuePlan, SharedPlan } from './plan.js';

/*
 * Delays in the broker, without a plugin, and without a message that waits behind a longer delay.
 *
 * There are thirty levels, each a queue with a fixed TTL. Any delay is a sum of TTLs, as an amount of money is a sum of
 * coins. The routing key has one word for each unit of the delay, then the kind and the destination:
 *
 *     <16d>.<d>.<h>.<m>.<s>.<100ms>.<kind>.<destination>        0.0.0.0.30.0.q.mailer.SendWelcomeEmail
 *
 * A topic exchange for each unit routes to the queue of the value's largest coin. When that queue's TTL is over, its
 * dead-letter exchange routes to the next coin, or to the next unit. The last exchange routes to the destination. All
 * messages of one queue wait for the same time.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

interface Unit {
  /** Letter in names. */
  readonly letter: string;
  readonly ms: number;
  /** Values go from 0 to `values` - 1. */
  readonly values: number;
  /** Smallest first. Greedy change-giving is exact for each of these sets. */
  readonly coins: readonly number[];
}

/** Largest first, as in the routing key. */
const UNITS: readonly Unit[] = [
  { letter: 'D', ms: 16 * DAY, values: 32, coins: [1, 2, 4, 8, 16] },
  { letter: 'd', ms: DAY, values: 16, coins: [1, 2, 4, 8] },
  { letter: 'h', ms: HOUR, values: 24, coins: [1, 2, 4, 8, 12] },
  { letter: 'm', ms: MINUTE, values: 60, coins: [1, 2, 4, 8, 16, 30] },
  { letter: 's', ms: SECOND, values: 60, coins: [1, 2, 4, 8, 16, 30] },
  { letter: 't', ms: 100, values: 10, coins: [1, 2, 4, 8] },
];

/** Destination of a delayed message. */
export type DelayKind =
  /** Exactly one queue: a retry or a release. */
  | 'q'
  /** A delayed publish: routed when due, and dropped if no queue takes it. */
  | 'e'
  /** A delayed send: routed when due, and put into the lost queue if no queue takes it. */
  | 'c';

/** Words of a delay in a routing key. The delay is rounded up to 100 ms, so that no message is early. */
export function delayWords(delayMs: number): number[] {
  let left = Math.max(MIN_DELAY_MS, Math.ceil(delayMs / 100) * 100);
  return UNITS.map(({ ms }) => {
    const value = Math.floor(left / ms);
    left -= value * ms;
    return value;
  });
}

/** Coins that make up `value`, largest first. */
function coinsOf(value: number, coins: readonly number[]): number[] {
  const change: number[] = [];
  let left = value;
  for (const coin of coins.toReversed()) {
    if (left >= coin) {
      change.push(coin);
      left -= coin;
    }
  }
  return change;
}

/** TTLs in milliseconds that a message of this delay passes, in order. Each is one hop in the broker. */
export function delayHops(delayMs: number): number[] {
  return delayWords(delayMs).flatMap((value, index) => {
    const { ms, coins } = UNITS[index] as Unit;
    return coinsOf(value, coins).map((coin) => coin * ms);
  });
}

/**
 * Address of a delayed message: the exchange of its largest unit, and the routing key through the delays.
 *
 * @param destination a queue's name for `q`; {@link delayedDestination} for the other kinds
 * @throws InvalidMessageError if the delay is longer than 400 days or the key too long
 */
export function delayAddress(names: Names, delayMs: number, kind: DelayKind, destination: string): Address {
  checkDelay(delayMs);
  const words = delayWords(delayMs);
  const routingKey = `${words.join('.')}.${kind}.${destination}`;
  const bytes = Buffer.byteLength(routingKey);
  if (bytes > MAX_NAME_BYTES) {
    throw new InvalidMessageError(
      `the routing key with its delay is ${bytes} bytes long, the protocol allows ${MAX_NAME_BYTES}`,
      'Use a shorter routing key or exchange name.',
    );
  }
  return {
    exchange: entryOf(
      names,
      words.findIndex((value) => value > 0),
    ),
    routingKey,
  };
}

/** Exchange, with slashes for dots so that it is one word, and key or pattern, for the kinds `e` and `c`. */
export function delayedDestination(exchange: string, key: string): string {
  return `${exchange.replaceAll('.', '/')}.${key}`;
}

/** Key with a delay of zero, as a message has when its delay is over: it is routed out of the last exchange at once. */
export const dueKey = (kind: DelayKind, destination: string): string =>
  `${UNITS.map(() => 0).join('.')}.${kind}.${destination}`;

const ANY_DELAY = '*.'.repeat(UNITS.length);

/** Binding of the last exchange for retries to exactly this queue. */
export const retryPattern = (queue: string): string => `${ANY_DELAY}q.${queue}`;

/** Bindings of the last exchange for delayed publishes and sends that match `pattern`. */
export function duePatterns(exchange: string, pattern: string): string[] {
  return ['e', 'c'].map((kind) => `${ANY_DELAY}${kind}.${delayedDestination(exchange, pattern)}`);
}

/**
 * The same for what a handler asks of an exchange, whose type decides what a key leads to. None for a type that chooses queues by
 * more than the key: no message of such an exchange is delayed.
 */
export function duePatternsOf({ exchange, pattern }: BindingNeeds, source: string): string[] {
  switch (exchange.type ?? 'topic') {
    case 'topic':
    case 'direct':
      return duePatterns(source, pattern);
    case 'fanout':
      return duePatterns(source, '#');
    default:
      return [];
  }
}

/**
 * Routing keys of delayed messages to these queues and exchanges, as a regular expression for the broker; with
 * `*` instead of numbers, the bindings of the last exchange that match them.
 *
 * @param queues expressions for whole names
 * @param exchanges expressions for whole names
 */
export function delayKeys(
  word: 'number' | 'wildcard',
  queues: readonly string[],
  exchanges: readonly string[],
): string {
  const kinds = [
    ...(queues.length > 0 ? [`q\\.(${queues.join('|')})$`] : []),
    ...(exchanges.length > 0
      ? [`[ec]\\.(${exchanges.map((each) => each.replaceAll('\\.', '/')).join('|')})\\.`]
      : []),
  ];
  if (kinds.length === 0) return '^$';
  return `^(${word === 'number' ? '\\d+' : '\\*'}\\.){${UNITS.length}}(${kinds.join('|')})`;
}

/** Destination in the routing key of a message from the delays. Undefined for any other key. */
export function parseDue(routingKey: string): { kind: DelayKind; destination: string } | undefined {
  const match = /^(?:\d+\.){6}([qec])\.(.+)$/s.exec(routingKey);
  return match ? { kind: match[1] as DelayKind, destination: match[2] as string } : undefined;
}

/** Delay in milliseconds that the first words of such a key stand for. */
export function delayOfKey(routingKey: string): number {
  const words = routingKey.split('.', UNITS.length);
  return UNITS.reduce((sum, { ms }, index) => sum + Number(words[index]) * ms, 0);
}

function entryOf(names: Names, unit: number): string {
  return unit < UNITS.length ? `${names.delay}.in.${(UNITS[unit] as Unit).letter}` : names.delayOut;
}

/** Exchanges to which delayed messages are published: those that a service needs write permission for. */
export const delayEntries = (names: Names): string[] => UNITS.map((_, unit) => entryOf(names, unit));

function levelOf(names: Names, unit: Unit, coin: number): string {
  return `${names.delay}.${unit.letter}${coin}`;
}

/** A level of the delays. */
export interface DelayLevel {
  readonly queue: string;
  /** Longest time in milliseconds after which a message that has just come into it is due, with all levels that it has still to pass. */
  readonly longestMs: number;
}

/** The levels, the longest first. */
export function delayLevels(names: Names): DelayLevel[] {
  return UNITS.flatMap((unit) =>
    unit.coins
      .map((coin, index) => {
        // What waits here would wait in a level of the next larger coin if it had so much left.
        const below = unit.coins[index + 1] ?? unit.values;
        const longestMs = Math.min(MAX_DELAY_MS, below * unit.ms - MIN_DELAY_MS);
        return { queue: levelOf(names, unit, coin), longestMs };
      })
      .reverse(),
  );
}

/** Topology of the delays, for a whole vhost. */
export function planDelays(names: Names): SharedPlan {
  const exchanges: ExchangePlan[] = [
    { name: names.delayUnrouted, type: 'topic' },
    // A level whose destination routes nowhere would keep its head message without end: the alternate exchange
    // always routes.
    { name: names.delayOut, type: 'topic', alternateExchange: names.delayUnrouted },
  ];
  const queues: QueuePlan[] = [
    { name: names.delayLost, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000_000 } },
    {
      name: names.delaySink,
      arguments: { 'x-queue-type': 'quorum', 'x-max-length': 0, 'x-overflow': 'drop-head' },
    },
  ];
  const bindings: BindingPlan[] = [
    toQueue(names.delayUnrouted, names.delayLost, `${ANY_DELAY}q.#`),
    toQueue(names.delayUnrouted, names.delayLost, `${ANY_DELAY}c.#`),
    toQueue(names.delayUnrouted, names.delaySink, `${ANY_DELAY}e.#`),
  ];
  UNITS.forEach((unit, index) => {
    exchanges.push({ name: entryOf(names, index), type: 'topic' });
    const next = entryOf(names, index + 1);
    for (const coin of unit.coins) {
      const level = levelOf(names, unit, coin);
      const isLowest = coin === unit.coins[0];
      // After the smallest coin nothing of the unit is left, so no exchange is needed.
      if (!isLowest) exchanges.push({ name: level, type: 'topic' });
      queues.push({ name: level, arguments: levelArguments(coin * unit.ms, isLowest ? next : level) });
    }
    for (let value = 0; value < unit.values; value += 1) {
      bindings.push(...bindingsOfValue(names, index, value));
    }
  });
  const probe = delayAddress(names, MIN_DELAY_MS, 'e', delayedDestination(PROBE_EXCHANGE, 'alive'));
  return { exchanges, queues, bindings, marker: { name: names.delayReady, type: 'fanout' }, probe };
}

function levelArguments(ttlMs: number, deadLetterExchange: string): QueuePlan['arguments'] {
  return {
    'x-queue-type': 'quorum',
    'x-message-ttl': ttlMs,
    'x-dead-letter-exchange': deadLetterExchange,
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
    // Without this all thirty queues would have their leader on the node that declared them.
    'x-queue-leader-locator': 'balanced',
  };
}

/** Bindings for one value of one unit: entry → largest coin → … → smallest coin → next unit. */
function bindingsOfValue(names: Names, index: number, value: number): BindingPlan[] {
  const unit = UNITS[index] as Unit;
  const next = entryOf(names, index + 1);
  const pattern = `${'*.'.repeat(index)}${value}.#`;
  const change = coinsOf(value, unit.coins);
  const bindings: BindingPlan[] = [];
  let source = entryOf(names, index);
  for (const coin of change) {
    const level = levelOf(names, unit, coin);
    bindings.push(toQueue(source, level, pattern));
    source = level;
  }
  if (change.at(-1) !== unit.coins[0]) {
    bindings.push({ source, destination: next, destinationType: 'exchange', pattern });
  }
  return bindings;
}

function toQueue(source: string, destination: string, pattern: string): BindingPlan {
  return { source, destination, destinationType: 'queue', pattern };
}
