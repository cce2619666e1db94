import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { unzipSync } from 'node:zlib';
import { Bus, type MessageContext, rabbitmq } from '../../src/index.js';
import { openFailures } from '../../src/operate.js';
import { eventually } from '../support/eventually.js';
import { RawChannel, type RawMessage } from '../support/raw-channel.js';
import { type ForeignBroker, foreignBroker } from './broker.js';
import type { ForeignClient, Kind } from './clients.js';

/** One message at each place that it comes to, as it lay there. */
export interface Journey {
  readonly kind: Kind;
  /** As its client sent it, in a queue that is no business of ours. */
  readonly original: RawMessage;
  /** After two attempts that failed. */
  readonly deadLetter: RawMessage;
  /** In its queue again, by a retry of the dead letter. */
  readonly replayed: RawMessage;
  /** After two more that failed. */
  readonly deadAgain: RawMessage;
  /** At its exchange again. */
  readonly republished: RawMessage;
  /** What its handler was given, one an attempt; none if its body could not be read. */
  readonly attempts: readonly Attempt[];
}

/** Where a message is looked at, beside its original. */
export type Stop = 'deadLetter' | 'replayed' | 'deadAgain' | 'republished';

type Looked = Readonly<Record<Kind, readonly RawMessage[]>>;

export interface Attempt {
  readonly payload: unknown;
  /** As it was while the handler ran. */
  readonly context: Pick<MessageContext, (typeof KNOWN)[number]>;
}

const DEAD_WITHIN_MS = 30_000;
const KINDS: readonly Kind[] = ['json', 'bytes'];
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** What of a context tells what came with the message. */
const KNOWN = [
  'attempt',
  'exchange',
  'routingKey',
  'headers',
  'messageId',
  'correlationId',
  'publishedAt',
  'replyTo',
  'type',
  'appId',
  'contentType',
  'contentEncoding',
  'priority',
  'expiration',
] as const satisfies readonly (keyof MessageContext)[];

const begun = new Map<ForeignClient, Promise<readonly Journey[]>>();
let count = 0;

/** Of all that this client can send, on the run's broker; it is sent once a run. */
export function journeysOf(client: ForeignClient): Promise<readonly Journey[]> {
  const journeys = begun.get(client) ?? foreignBroker().then((broker) => new Travel(client, broker).all());
  begun.set(client, journeys);
  return journeys;
}

/** Each has a body of its own. */
function isPayloadOf({ body, headers }: RawMessage, kind: Kind, payload: unknown): boolean {
  if (kind === 'bytes') return Buffer.isBuffer(payload) && payload.equals(body);
  const isCompressed = headers.some(({ name }) => name === 'compression');
  const json = isCompressed ? unzipSync(body) : body;
  return isDeepStrictEqual(JSON.parse(json.toString()), payload);
}

/** Sends the messages of one client, has them fail, and follows them. */
class Travel {
  private readonly keys = `keys-${++count}`;
  private readonly attempts: Attempt[] = [];

  constructor(
    private readonly client: ForeignClient,
    private readonly broker: ForeignBroker,
  ) {}

  async all(): Promise<readonly Journey[]> {
    const { client, broker, keys } = this;
    const raw = await RawChannel.open(broker.node.url);
    try {
      const { taps, originals } = await this.untilAllAreDead(raw, async () => {
        const taps = { json: await this.tap(raw, 'json'), bytes: await this.tap(raw, 'bytes') };
        await client.send({ ...broker, exchange: `${keys}.events`, keys });
        return { taps, originals: await this.taken(raw, taps) };
      });
      const deadLetter = await this.look('.dead');
      await this.retry('queue');
      const replayed = await this.look('');
      await this.untilAllAreDead(raw, async () => {});
      const deadAgain = await this.look('.dead');
      await this.retry('republish');
      const republished = await this.taken(raw, taps);
      const stops = { deadLetter, replayed, deadAgain, republished };
      return KINDS.flatMap((kind) => originals[kind].map((original) => this.journey(kind, original, stops)));
    } finally {
      await raw.close();
    }
  }

  private journey(kind: Kind, original: RawMessage, stops: Readonly<Record<Stop, Looked>>): Journey {
    const at = (stop: Stop) => {
      const found = stops[stop][kind].filter(({ body }) => body.equals(original.body));
      assert.equal(found.length, 1, `${stop}: messages with the body ${original.body}`);
      return found[0] as RawMessage;
    };
    return {
      kind,
      original,
      deadLetter: at('deadLetter'),
      replayed: at('replayed'),
      deadAgain: at('deadAgain'),
      republished: at('republished'),
      attempts: this.attempts.filter(({ payload }) => isPayloadOf(original, kind, payload)),
    };
  }

  /** Each message fails at both of two tries. */
  private bus(): Bus {
    const { keys, broker } = this;
    const bus = new Bus({
      service: keys,
      prefix: keys,
      transport: rabbitmq({ url: broker.node.url }),
      log: silent,
    });
    for (const kind of KINDS)
      bus.handle(this.pattern(kind), (payload, context) => this.fail(payload, context), {
        queue: this.queue(kind),
        ...(kind === 'bytes' ? { body: 'bytes' } : {}),
        retry: { tries: 2, backoff: '100ms' },
        ...(this.client.exchange === 'events' ? {} : { exchange: { name: this.exchange, declare: false } }),
      });
    return bus;
  }

  private fail(payload: unknown, context: MessageContext): never {
    const known = Object.fromEntries(KNOWN.map((name) => [name, context[name]]));
    this.attempts.push({ payload, context: known as Attempt['context'] });
    throw new Error('it fails');
  }

  /** While a bus runs whose handlers fail. */
  private async untilAllAreDead<T>(raw: RawChannel, meanwhile: () => Promise<T>): Promise<T> {
    const bus = this.bus();
    await bus.start();
    try {
      const result = await meanwhile();
      await this.allDead(raw);
      return result;
    } finally {
      await bus.stop();
    }
  }

  private taken(raw: RawChannel, taps: Readonly<Record<Kind, string>>): Promise<Looked> {
    return this.each((kind, expected) => raw.taken(taps[kind], expected));
  }

  private async allDead(raw: RawChannel): Promise<void> {
    await this.each((kind, expected) =>
      eventually(
        async () => {
          const { messageCount } = await raw.channel.checkQueue(`${this.queue(kind)}.dead`);
          assert.equal(messageCount, expected, `dead letters of ${this.queue(kind)}`);
        },
        { timeout: DEAD_WITHIN_MS, interval: 100 },
      ),
    );
  }

  private async retry(to: 'queue' | 'republish'): Promise<void> {
    const { keys, broker } = this;
    const transport = rabbitmq({ url: broker.node.url });
    const queues = KINDS.map((kind) => this.queue(kind));
    const failures = await openFailures({ transport, queues, prefix: keys, log: silent });
    try {
      const { failed } = await failures.retry({}, { to });
      assert.deepEqual(failed, []);
    } finally {
      await failures.close();
    }
  }

  /** All that lies in the queues, and goes on to lie there. */
  private async look(suffix: '' | '.dead'): Promise<Looked> {
    const raw = await RawChannel.open(this.broker.node.url);
    try {
      return await this.each((kind, expected) => raw.look(this.queue(kind) + suffix, expected));
    } finally {
      await raw.close();
    }
  }

  private tap(raw: RawChannel, kind: Kind): Promise<string> {
    return raw.tap(this.exchange, this.pattern(kind));
  }

  private async each<T>(of: (kind: Kind, expected: number) => Promise<T>): Promise<Record<Kind, T>> {
    const expected = this.client.messages(this.broker);
    return { json: await of('json', expected.json), bytes: await of('bytes', expected.bytes) };
  }

  private readonly queue = (kind: Kind): string => `${this.keys}-${kind}`;

  private get exchange(): string {
    const { exchange } = this.client;
    return exchange === 'events' ? `${this.keys}.events` : exchange;
  }

  private pattern(kind: Kind): string {
    return `${this.keys}.${kind}.#`;
  }
}
