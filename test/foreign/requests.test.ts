import assert from 'node:assert/strict';
import { Bus, defineRequest, ResponderError, rabbitmq } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { RawChannel } from '../support/raw-channel.js';
import { type ForeignBroker, foreignBroker } from './broker.js';
import { printedBy } from './programs.js';
import { installedRpcClients } from './rpc-clients.js';

/** A broker boots first, and may have to be unpacked. */
const ONCE_MS = 300_000;

const GetPrice = defineRequest<{ amount: number }, { cents: number }>('price.get');
const Failing = defineRequest<null, null>('price.fail');

const DIRECT = 'amq.rabbitmq.reply-to';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const rpcClients = await installedRpcClients();

interface Reply {
  readonly body: unknown;
  readonly correlationId: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

describe('requests and replies', function () {
  this.timeout(60_000);
  const prefix = 'asking';
  const exchange = `${prefix}.events`;
  let broker: ForeignBroker;
  let bus: Bus;
  let raw: RawChannel;

  before(async function () {
    this.timeout(ONCE_MS);
    broker = await foreignBroker();
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    bus = new Bus({
      ...{ service: 'shop', prefix, log: silent, failureLog: false },
      transport: rabbitmq({ url: broker.node.url }),
    });
    bus.reply(GetPrice, ({ amount }) => ({ cents: amount * 3 }));
    bus.reply(Failing, () => {
      throw Object.assign(new Error('sold out'), { code: 'SOLD_OUT' });
    });
    await bus.start();
    raw = await RawChannel.open(broker.node.url);
  });

  after(async () => {
    await raw?.close();
    await bus?.stop();
  });

  /** Asks as clients without a word for it do: over a reply queue, or over RabbitMQ's own. */
  async function asked(
    replyQueue: string,
    key: string,
    payload: unknown,
    properties: { correlationId: string; headers?: object; contentType?: string },
  ): Promise<Reply> {
    const { channel } = raw;
    const replied = deferred<Reply>();
    const { consumerTag } = await channel.consume(
      replyQueue,
      (message) => {
        if (!message) return;
        const { correlationId, headers = {} } = message.properties;
        replied.resolve({ body: JSON.parse(message.content.toString()), correlationId, headers });
      },
      { noAck: true },
    );
    channel.publish(exchange, key, Buffer.from(JSON.stringify(payload)), {
      ...properties,
      replyTo: replyQueue,
    });
    const reply = await replied.promise;
    await channel.cancel(consumerTag);
    return reply;
  }

  it('of a client with an exclusive queue for its replies are answered there', async () => {
    const { queue } = await raw.channel.assertQueue('', { exclusive: true });
    const reply = await asked(queue, 'price.get', { amount: 2 }, { correlationId: '7' });
    assert.deepEqual([reply.body, reply.correlationId], [{ cents: 6 }, '7']);
  });

  it("of a client with RabbitMQ's direct reply-to are answered there", async () => {
    const reply = await asked('amq.rabbitmq.reply-to', 'price.get', { amount: 2 }, { correlationId: '8' });
    assert.deepEqual([reply.body, reply.correlationId], [{ cents: 6 }, '8']);
  });

  it("in the form in which Spring's RabbitTemplate writes them are answered, and failures can be told", async () => {
    const spring = {
      contentType: 'application/json',
      headers: { __TypeId__: 'com.example.PriceRequest', spring_listener_return_correlation: 'x' },
    };
    const reply = await asked(
      'amq.rabbitmq.reply-to',
      'price.get',
      { amount: 3 },
      { correlationId: '1', ...spring },
    );
    assert.deepEqual([reply.body, reply.correlationId], [{ cents: 9 }, '1']);
    const failure = await asked('amq.rabbitmq.reply-to', 'price.fail', null, {
      correlationId: '2',
      ...spring,
    });
    assert.deepEqual(failure.body, { code: 'SOLD_OUT', message: 'sold out' });
    assert.equal(failure.headers['hopline-reply'], 'error');
  });

  it('of ours are answered by any program that replies to replyTo', async () => {
    const Ask = defineRequest<number, { twice: number }>('plain.ask');
    const { channel } = raw;
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, exchange, 'plain.ask');
    await channel.consume(
      queue,
      (message) => {
        if (!message) return;
        const { replyTo, correlationId } = message.properties;
        const twice = 2 * JSON.parse(message.content.toString());
        channel.publish('', replyTo as string, Buffer.from(JSON.stringify({ twice })), { correlationId });
      },
      { noAck: true },
    );
    assert.deepEqual(await bus.request(Ask, 21), { twice: 42 });
  });

  it('between buses end as they do for others', async () => {
    assert.deepEqual(await bus.request(GetPrice, { amount: 1 }), { cents: 3 });
    await assert.rejects(
      bus.request(Failing, null),
      (error) => error instanceof ResponderError && error.remote.code === 'SOLD_OUT',
    );
  });

  describe('with @golevelup/nestjs-rabbitmq', () => {
    it('are answered when it asks', async () => {
      const requests = [
        { routingKey: 'price.get', payload: { amount: 5 } },
        { routingKey: 'price.fail', payload: null },
      ];
      const told = { ...broker, exchange, requests };
      const { replies } = await printedBy('request-with-golevelup.js', [process.execPath], told);
      assert.deepEqual(replies, [{ cents: 15 }, { code: 'SOLD_OUT', message: 'sold out' }]);
    });

    it('are answered by its RPC handlers when we ask', async () => {
      const Its = defineRequest<{ amount: number }, { cents: number }>('its.price');
      const told = { ...broker, exchange, routingKey: 'its.price', queue: 'its-prices', count: 2 };
      const { seen } = await printedBy('reply-with-golevelup.js', [process.execPath], told, async () => {
        for (const amount of [1, 2])
          assert.deepEqual(await bus.request(Its, { amount }), { cents: amount * 3 });
      });
      assert.deepEqual(seen, [{ amount: 1 }, { amount: 2 }]);
    });
  });

  for (const client of rpcClients)
    describe(`with ${client.name}`, () => {
      const requests = [
        { routingKey: 'price.get', payload: { amount: 5 }, correlationId: 'first' },
        { routingKey: 'price.fail', payload: null, correlationId: 'second' },
      ];

      for (const [place, replyQueue] of [
        ["on RabbitMQ's direct reply-to", DIRECT],
        ['on a queue that the broker names', ''],
        ['on a queue that it names', 'answers-to-it'],
      ] as const)
        it(`are answered when it asks: ${place}`, async () => {
          const { replies } = await client.ask({ ...broker, exchange, replyQueue, requests });
          const [price, failure, ...more] = replies as readonly (Reply & { readonly contentType: string })[];
          assert.deepEqual(price?.body, { cents: 15 });
          assert.equal(price?.contentType, 'application/json');
          assert.equal(price?.headers?.['hopline-reply'], undefined);
          assert.deepEqual(failure?.body, { code: 'SOLD_OUT', message: 'sold out' });
          assert.equal(failure?.headers?.['hopline-reply'], 'error');
          assert.deepEqual(more, []);
        });

      it('are answered by it when we ask, and its failures are failures', async () => {
        const Its = defineRequest<{ amount: number }, { cents: number }>(`its.price.${client.name.length}`);
        const told = { ...broker, exchange, routingKey: Its.key, queue: 'its-answers', count: 3 };
        const { seen } = await client.answer(told, async () => {
          for (const amount of [1, 2])
            assert.deepEqual(await bus.request(Its, { amount }, { timeout: '20s' }), { cents: amount * 3 });
          await assert.rejects(
            bus.request(Its, { amount: -1 }),
            (error) => error instanceof ResponderError && error.remote.code === 'TOO_FEW',
          );
        });
        const withoutIds = (seen as readonly { readonly messageId: string }[]).map(
          ({ messageId, ...rest }) => {
            assert.match(messageId, UUID);
            return rest;
          },
        );
        const request = { contentType: 'application/json', expires: true };
        assert.deepEqual(
          withoutIds,
          [1, 2, -1].map((amount) => ({ payload: { amount }, ...request })),
        );
      });
    });
});
