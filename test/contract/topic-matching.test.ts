import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type ConfirmChannel, connect } from 'amqplib';
import fc from 'fast-check';
import { topicMatches } from '../../src/message/routing/topic.js';
import type { ExchangePlan } from '../../src/topology/plan.js';
import { brokerFeatures } from '../../src/transport/amqp/connection/broker-features.js';
import { Exchange } from '../../src/transport/memory/exchanges/exchange.js';
import { storedMessage } from '../../src/transport/memory/stored-message.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';

/** Few words, so that patterns and keys meet; one is the beginning of another, and one is empty. */
const WORDS = ['a', 'b', 'ab', ''] as const;

/** Never the empty text, which RabbitMQ takes for no word at all: a bus neither publishes nor binds it. */
const wordsOf = (...words: readonly string[]) =>
  fc
    .array(fc.constantFrom(...words), { minLength: 1, maxLength: 6 })
    .map((each) => each.join('.'))
    .filter((text) => text !== '');

const hashesIn = (pattern: string) => pattern.split('.').filter((word) => word === '#').length;

const patternsOf = (maxHashes: number) =>
  wordsOf(...WORDS, '*', '*', '#', '#').filter((pattern) => hashesIn(pattern) <= maxHashes);

/** A foreign publisher's key may hold a word that is a wildcard in a pattern. */
const keys = fc.uniqueArray(
  fc.oneof({ weight: 9, arbitrary: wordsOf(...WORDS) }, wordsOf(...WORDS, '*', '#')),
  {
    minLength: 1,
    maxLength: 60,
    size: 'max',
  },
);

/** Repeats a failed run: TOPIC_SEED=… npx mocha dist/test/contract/topic-matching.test.js */
const SEED = Number(process.env.TOPIC_SEED ?? randomBytes(4).readInt32LE());
const TIME_LIMIT_MS = 8_000;

describe('Topic matching', () => {
  let rabbit: RabbitTopics;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    rabbit = await RabbitTopics.connect((await sharedBroker()).url, 40);
  });

  after(() => rabbit?.close());

  it(`agrees with RabbitMQ's for any patterns and keys, here and in the memory transport (seed ${SEED})`, async () => {
    let pairs = 0;
    let matching = 0;
    const bindable = fc.uniqueArray(patternsOf(rabbit.maxHashes), {
      minLength: 1,
      maxLength: 40,
      size: 'max',
    });
    const property = fc.asyncProperty(bindable, keys, async (bound, published) => {
      const theirs = await rabbit.match(bound, published);
      const inMemory = memoryMatches(bound);
      const differences: string[] = [];
      for (const pattern of bound) {
        for (const key of published) {
          const says = {
            rabbit: theirs.has(`${pattern} ${key}`),
            local: topicMatches(pattern, key),
            memory: inMemory(pattern, key),
          };
          if (says.local !== says.rabbit || says.memory !== says.rabbit)
            differences.push(`'${pattern}' and '${key}': ${JSON.stringify(says)}`);
          pairs += 1;
          if (says.rabbit) matching += 1;
        }
      }
      assert.deepEqual(differences, []);
    });
    await fc.assert(property, { seed: SEED, numRuns: 100, interruptAfterTimeLimit: TIME_LIMIT_MS });
    // Else the words have been chosen badly, or the broker was too slow for this to mean anything.
    assert.ok(pairs > 10_000, `only ${pairs} pairs in the time`);
    assert.ok(matching > pairs * 0.02 && matching < pairs * 0.9, `${matching} of ${pairs} pairs match`);
  });
});

/** Whether the memory transport's exchange leads a key to a pattern's destination, all patterns bound at once. */
function memoryMatches(bound: readonly string[]): (pattern: string, key: string) => boolean {
  const exchange = exchangeOf({ name: 'topics', type: 'topic' });
  const destinations = new Map<string, Exchange>();
  for (const pattern of bound) {
    const destination = exchangeOf({ name: pattern, type: 'fanout' });
    destinations.set(pattern, destination);
    exchange.bind(
      { source: 'topics', destination: pattern, destinationType: 'exchange', pattern },
      destination,
    );
  }
  return (pattern, key) => exchange.match(messageOf(key)).has(destinations.get(pattern) as Exchange);
}

const exchangeOf = (plan: ExchangePlan): Exchange => Exchange.of(plan) as Exchange;

const messageOf = (routingKey: string) =>
  storedMessage(
    {
      to: 'exchange',
      exchange: 'topics',
      routingKey,
      body: Buffer.alloc(0),
      properties: {},
      mustRoute: false,
      deadlineMs: 0,
    },
    { exchange: 'topics', routingKey },
  );

const END = 'the last message of a run';

/** RabbitMQ's own answer: each pattern is bound to a queue of its own, and the keys that arrive there are noted. */
class RabbitTopics {
  private arrived: Map<string, string[]> = new Map();
  private ended = 0;
  private runs = 0;

  private constructor(
    private readonly channel: ConfirmChannel,
    private readonly queues: readonly string[],
    /** What the broker takes. */
    readonly maxHashes: number,
    readonly close: () => Promise<void>,
  ) {}

  static async connect(url: string, size: number): Promise<RabbitTopics> {
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    const queues: string[] = [];
    // Exclusive ones end with the connection; they serve all runs, since declaring is what takes time.
    for (let index = 0; index < size; index += 1) {
      queues.push((await channel.assertQueue('', { exclusive: true })).queue);
    }
    const { maxHashes } = brokerFeatures(connection.connection.serverProperties);
    const topics = new RabbitTopics(channel, queues, maxHashes, () => connection.close());
    for (const queue of queues)
      await channel.consume(queue, (message) => topics.note(queue, message), { noAck: true });
    return topics;
  }

  /** @returns `pattern key` for each pair that matches */
  async match(patterns: readonly string[], keys: readonly string[]): Promise<Set<string>> {
    const { channel } = this;
    const queues = this.queues.slice(0, patterns.length);
    this.runs += 1;
    this.arrived = new Map(queues.map((queue) => [queue, []]));
    this.ended = 0;
    const exchange = `hopline-topics-${process.pid}-${SEED}-${this.runs}`;
    await channel.assertExchange(exchange, 'topic', { durable: false });
    try {
      await Promise.all(
        queues.map((queue, index) => channel.bindQueue(queue, exchange, patterns[index] as string)),
      );
      for (const key of keys) channel.publish(exchange, key, Buffer.from(key));
      // Behind all others in each queue.
      for (const queue of queues) channel.publish('', queue, Buffer.from(END), { type: END });
      await channel.waitForConfirms();
      await eventually(() => this.ended === queues.length, { interval: 2 });
    } finally {
      await channel.deleteExchange(exchange);
    }
    return new Set(
      queues.flatMap(
        (queue, index) => this.arrived.get(queue)?.map((key) => `${patterns[index]} ${key}`) ?? [],
      ),
    );
  }

  private note(queue: string, message: { content: Buffer; properties: { type?: unknown } } | null): void {
    if (message?.properties.type === END) this.ended += 1;
    else if (message) this.arrived.get(queue)?.push(message.content.toString());
  }
}
