import assert from 'node:assert/strict';
import { TopologyError } from '../../src/errors.js';
import { KeptDocument } from '../../src/kept/kept-document.js';
import type { MessageProperties } from '../../src/message/properties.js';
import type { DeadLetter } from '../../src/operate.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { hold } from '../support/port.js';
import type { Theme } from './theme.js';

const STACK =
  '   at System.Linq.Enumerable.First()\n   at Shop.Sales.OrderConsumer.Consume(ConsumeContext`1 context) in /src/OrderConsumer.cs:line 42';
const JAVA =
  'org.springframework.amqp.rabbit.support.ListenerExecutionFailedException: Listener threw exception\n\tat org.springframework.amqp.X.y(X.java:1)\nCaused by: java.lang.IllegalStateException: no stock\n\tat com.shop.Sales.on(Sales.java:42)\n';

interface Foreign {
  /** What the headers of each framework are, where the message failed in `sales`. */
  headers(sales: string): Record<string, string | number>;
  /** Those of the message itself. */
  readonly own: Record<string, string | number>;
  readonly letter: (sales: string) => Partial<DeadLetter>;
}

const FRAMEWORKS: Readonly<Record<string, Foreign>> = {
  MassTransit: {
    headers: (sales) => ({
      'MT-Reason': 'fault',
      'MT-Fault-ExceptionType': 'System.InvalidOperationException',
      'MT-Fault-Message': 'Sequence contains no elements',
      'MT-Fault-Timestamp': '2026-01-05T09:00:00.1230000Z',
      'MT-Fault-StackTrace': STACK,
      'MT-Fault-ConsumerType': 'Shop.Sales.OrderConsumer',
      'MT-Fault-RetryCount': 2,
      'MT-Fault-InputAddress': `rabbitmq://localhost:5672/shop/${encodeURIComponent(sales)}?durable=true`,
      'MT-Host-MachineName': 'pc',
    }),
    own: { 'Content-Type': 'application/vnd.masstransit+json', 'MT-Activity-Id': '00-a' },
    letter: (sales) => ({
      ...{
        by: 'masstransit',
        reason: 'exhausted',
        queue: sales,
        handler: 'Shop.Sales.OrderConsumer',
        attempts: 3,
      },
      error: 'System.InvalidOperationException: Sequence contains no elements',
      stack: STACK,
      failedAt: new Date('2026-01-05T09:00:00.123Z'),
    }),
  },
  NServiceBus: {
    headers: (sales) => ({
      'NServiceBus.FailedQ': `${sales}@PC`,
      'NServiceBus.TimeOfFailure': '2026-01-05 09:00:00:123456 Z',
      'NServiceBus.ExceptionInfo.ExceptionType': 'System.Exception',
      'NServiceBus.ExceptionInfo.Message': 'An error occurred',
      'NServiceBus.ExceptionInfo.StackTrace': `System.Exception: An error occurred\n${STACK}`,
      'NServiceBus.ExceptionInfo.Source': 'Sales',
    }),
    own: { 'NServiceBus.MessageId': 'm', 'NServiceBus.EnclosedMessageTypes': 'Shop.PlaceOrder, Shop' },
    letter: (sales) => ({
      ...{
        by: 'nservicebus',
        reason: 'exhausted',
        queue: sales,
        error: 'System.Exception: An error occurred',
      },
      failedAt: new Date('2026-01-05T09:00:00.123Z'),
    }),
  },
  'Spring AMQP': {
    headers: (sales) => ({
      'x-exception-message': 'no stock',
      'x-exception-stacktrace': JAVA,
      'x-original-exchange': '',
      'x-original-routingKey': sales,
    }),
    own: { __TypeId__: 'com.shop.Order' },
    letter: (sales) => ({
      ...{
        by: 'spring',
        reason: 'exhausted',
        queue: sales,
        error: 'java.lang.IllegalStateException: no stock',
      },
      stack: JAVA,
    }),
  },
};

const PROPERTIES: MessageProperties = {
  ...{ messageId: 'm', correlationId: 'c', contentType: 'application/json', type: 'order', deliveryMode: 2 },
  replyTo: 'answers',
};

/** Queues of another application: one that is worked on, and one with its dead letters. */
async function opened(fx: BusFixture) {
  const port = await fx.port();
  await port.declare({
    exchanges: { dlx: 'topic' },
    queues: {
      sales: { 'x-dead-letter-exchange': 'dlx', 'x-dead-letter-routing-key': 'sales' },
      errors: {},
    },
    bindings: ['dlx -> errors: sales'],
  });
  const desk = await fx.failuresWith({ others: [fx.name('errors')] }, 'mailer');
  const letters = async () => (await desk.list({ queues: [fx.name('errors')] })).length;
  return { port, desk, letters, sales: fx.name('sales') };
}

export const foreignLetters: Theme = (test) => {
  for (const [framework, { headers, own, letter: expected }] of Object.entries(FRAMEWORKS))
    test(`a dead letter of ${framework} is read, and a retry brings it to its queue as it was before it failed`, async (fx) => {
      const { port, desk, letters, sales } = await opened(fx);
      const properties = { ...PROPERTIES, headers: { ...own, ...headers(sales) } };
      await fx.foreign.publish({ exchange: '', routingKey: fx.name('errors'), body: '{"id":1}', properties });
      await fx.eventually(async () => assert.equal(await letters(), 1));
      const [letter] = await desk.list({ queues: [fx.name('errors')] });
      const [whole] = await desk.get(letter?.id ?? '', { queues: [fx.name('errors')] });
      for (const [name, value] of Object.entries(expected(sales)))
        assert.deepEqual(whole?.[name as keyof DeadLetter], value, name);
      assert.deepEqual(whole && { ...whole.headers }, properties.headers, 'all is shown');
      assert.equal((await fx.outcome(desk.retry({ queues: [fx.name('errors')] }))).done, 1);
      const queue = await port.consume('sales', hold);
      await fx.eventually(() => assert.equal(queue.deliveries.length, 1));
      const { headers: came, ...rest } = queue.at(0).properties;
      assert.deepEqual({ ...came }, own);
      const told = Object.fromEntries(
        Object.keys(PROPERTIES).map((name) => [name, rest[name as keyof typeof rest]]),
      );
      assert.deepEqual(told, PROPERTIES);
      assert.equal(queue.at(0).body.toString(), '{"id":1}');
      assert.equal(await letters(), 0);
    });

  test('what a plain dead-letter exchange has put aside names its queue, and a retry brings it there', async (fx) => {
    const { port, desk, letters, sales } = await opened(fx);
    await fx.foreign.publish({
      exchange: '',
      routingKey: sales,
      body: 'x',
      properties: { headers: { mine: 1 } },
    });
    const first = await port.consume('sales', (delivery) => delivery.reject());
    await fx.eventually(() => assert.equal(first.deliveries.length, 1));
    await first.consumer.close();
    await fx.eventually(async () => assert.equal(await letters(), 1));
    const [letter] = await desk.list({ queues: [fx.name('errors')] });
    assert.deepEqual([letter?.by, letter?.reason, letter?.queue], ['broker', 'rejected', sales]);
    assert.equal((await fx.outcome(desk.retry({ queues: [fx.name('errors')] }))).done, 1);
    const queue = await port.consume('sales', hold);
    await fx.eventually(() => assert.equal(queue.deliveries.length, 1));
    assert.deepEqual({ ...queue.at(0).properties.headers }, { mine: 1 });
    assert.equal(queue.at(0).properties.messageId, undefined);
  });

  test('a letter of MassTransit without an address belongs to the queue that its error queue is named after', async (fx) => {
    const { port, sales } = await opened(fx);
    await port.declare({ queues: { sales_error: {} } });
    const desk = await fx.failuresWith({ others: [fx.name('sales_error')] }, 'mailer');
    const errors = { queues: [fx.name('sales_error')] };
    const headers = { 'MT-Reason': 'fault', 'MT-Fault-Message': 'no' };
    await fx.foreign.publish({
      exchange: '',
      routingKey: fx.name('sales_error'),
      body: 'x',
      properties: { headers },
    });
    await fx.eventually(async () => assert.equal((await desk.list(errors))[0]?.queue, sales));
    assert.equal((await fx.outcome(desk.retry(errors))).done, 1);
    const queue = await port.consume('sales', hold);
    await fx.eventually(() => assert.equal(queue.deliveries.length, 1));
  });

  test('a letter that does not say where it failed stays, and says so', async (fx) => {
    const { desk, letters } = await opened(fx);
    const headers = { 'NServiceBus.ExceptionInfo.ExceptionType': 'X' };
    await fx.foreign.publish({
      exchange: '',
      routingKey: fx.name('errors'),
      body: 'x',
      properties: { headers },
    });
    await fx.eventually(async () => assert.equal(await letters(), 1));
    const { failed } = await fx.outcome(desk.retry({ queues: [fx.name('errors')] }));
    assert.match(String(failed[0]?.error), /does not say which queue it failed in/);
    assert.equal(await letters(), 1);
  });

  test('a letter of others whose queue is gone stays, and says which queue is missing', async (fx) => {
    const { desk, letters } = await opened(fx);
    const headers = { 'NServiceBus.FailedQ': fx.name('gone') };
    await fx.foreign.publish({
      exchange: '',
      routingKey: fx.name('errors'),
      body: 'x',
      properties: { headers },
    });
    await fx.eventually(async () => assert.equal(await letters(), 1));
    const { done, failed } = await fx.outcome(desk.retry({ queues: [fx.name('errors')] }));
    assert.equal(done, 0);
    assert.match(String(failed[0]?.error), new RegExp(`no queue '${fx.name('gone')}'`));
    assert.equal(await letters(), 1);
  });

  test('no letter chooses to be replayed into a queue or an exchange of Hopline, of the broker, or of dead letters', async (fx) => {
    const { desk, letters } = await opened(fx);
    const { session } = await fx.port();
    const kept = new KeptDocument({
      ...{ session, clock: fx.harness.clock, queue: fx.names.operations, empty: [] as unknown },
      decode: (content) => content,
    });
    const list = { v: 1, operations: [] };
    await fx.outcome(kept.change(() => list));
    const queues = [fx.names.operations, fx.names.paused, fx.names.trash, fx.names.delayLost];
    queues.push(fx.name('errors'), fx.name('shop.dead'), fx.name('shop.land'), 'amq.rabbitmq.reply-to');
    const orders = { 'x-exception-message': 'no', 'x-original-routingKey': 'order' };
    const forged = [
      ...queues.map((queue) => ({ 'NServiceBus.FailedQ': queue })),
      { 'MT-Fault-InputAddress': `rabbitmq://h/${fx.names.operations}`, 'MT-Fault-Message': 'no' },
      { ...orders, 'x-original-exchange': fx.names.control },
    ];
    for (const [at, headers] of forged.entries())
      await fx.foreign.publish({
        exchange: '',
        routingKey: fx.name('errors'),
        body: '["forged"]',
        properties: { messageId: `m${at}`, headers },
      });
    await fx.eventually(async () => assert.equal(await letters(), forged.length));
    const errors = { queues: [fx.name('errors')] };
    const { done, failed } = await fx.outcome(desk.retry(errors));
    assert.deepEqual([done, failed.length], [0, forged.length]);
    for (const { id, error } of failed) {
      assert.ok(error instanceof TopologyError, String(error));
      assert.match(error.message, new RegExp(`the dead letter '${id}' in '.*' names (queue|exchange) '`));
    }
    const named = failed.map(({ error }) => (error as TopologyError).resource);
    for (const queue of queues) assert.ok(named.includes(`queue '${queue}'`), queue);
    assert.ok(named.includes(`exchange '${fx.names.control}'`));
    assert.deepEqual(await fx.outcome(kept.read()), list);
    assert.equal(await letters(), forged.length, 'all are where they were');
  });

  test('a canary of letters of others is refused before one is replayed', async (fx) => {
    const { port, desk, letters, sales } = await opened(fx);
    const headers = { 'NServiceBus.FailedQ': sales, 'NServiceBus.ExceptionInfo.ExceptionType': 'X' };
    await fx.foreign.publish({
      ...{ exchange: '', routingKey: fx.name('errors'), body: 'x' },
      properties: { headers },
    });
    await fx.eventually(async () => assert.equal(await letters(), 1));
    const queue = await port.consume('sales', hold);
    const index = desk.index({ listens: false });
    await fx.outcome(index.refresh());
    const [group] = await index.groups();
    const operations = desk.operations(index, { takesOn: false });
    const { id } = await fx.outcome(
      operations.begin({ kind: 'canary', selection: { group: group?.id ?? '' } }, 'ann'),
    );
    const ended = await fx.outcome(
      operations.ended(id).catch(async () => (await operations.list()).find((each) => each.id === id)),
    );
    assert.deepEqual([ended?.state, ended?.done], ['stopped', 0]);
    assert.match(ended?.why ?? '', /letters of other applications/);
    assert.equal(queue.deliveries.length, 0);
    assert.equal(await letters(), 1);
  });
};
