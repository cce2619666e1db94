import assert from 'node:assert/strict';
import { Bus, rabbitmq } from '../../src/index.js';
import { RawChannel } from '../support/raw-channel.js';
import { type ForeignBroker, foreignBroker } from './broker.js';
import { celery, type ForeignClient, mqtt, rhea, stomp } from './clients.js';
import { installed } from './installed.js';
import { printedBy, pythonWith } from './programs.js';

/** A broker boots first, and may have to be unpacked. */
const ONCE_MS = 300_000;

const here = await installed();

/** Tests of those clients that are there; `installed` has named the others. */
const withClient = (client: ForeignClient, tests: () => void): void => {
  if (here.includes(client)) describe(`by ${client.name}`, tests);
};

describe('a message of ours, seen', function () {
  this.timeout(60_000);
  const prefix = 'way-back';
  let broker: ForeignBroker;
  let bus: Bus;
  let raw: RawChannel;
  let queues = 0;

  before(async function () {
    this.timeout(ONCE_MS);
    broker = await foreignBroker();
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    bus = new Bus({ service: 'shop', prefix, transport: rabbitmq({ url: broker.node.url }), log: silent });
    await bus.start();
    raw = await RawChannel.open(broker.node.url);
  });

  after(async () => {
    await raw?.close();
    await bus?.stop();
  });

  /** A durable queue, as the other side has it, with one message of ours. */
  async function queueWithOne(): Promise<string> {
    const queue = `${prefix}-${++queues}`;
    await raw.channel.assertQueue(queue, { durable: true });
    await raw.channel.bindQueue(queue, `${prefix}.events`, `order.placed.${queues}`);
    await publish(`order.placed.${queues}`);
    return queue;
  }

  const publish = async (key: string, exchange?: string): Promise<void> => {
    await bus.publish(
      key,
      { id: 7 },
      {
        messageId: 'm-1',
        correlationId: 'c-1',
        headers: { shard: 3, weight: 70_000, hot: true, note: 'grüße', nested: { a: 1 }, list: [1, 2] },
        ...(exchange === undefined ? {} : { exchange: { name: exchange, declare: false } }),
      },
    );
  };

  const isNow = (seconds: unknown) => assert.ok(Math.abs(Number(seconds) - Date.now() / 1_000) < 60);

  withClient(mqtt, () => {
    it('has its key as topic, its body as payload, and nothing of ours before MQTT 5', async () => {
      const publishing = () => publish('plant.1.temp', 'amq.topic');
      const told = { ...broker, topic: 'plant/1/temp' };
      const seen = await printedBy('receive-with-mqtt.js', [process.execPath], told, publishing);
      const { userProperties, ...rest } = seen as { userProperties?: object };
      const plain = { topic: 'plant/1/temp', payload: '{"id":7}', qos: 1, retain: false };
      if (broker.isOld) {
        assert.deepEqual(rest, plain);
        assert.equal(userProperties, undefined);
      } else {
        assert.deepEqual(rest, { ...plain, contentType: 'application/json', correlationData: 'c-1' });
        assert.deepEqual({ ...userProperties }, { shard: '3', weight: '70000', hot: 'true', note: 'grüße' });
      }
    });
  });

  withClient(stomp, () => {
    it('has its id as amqp-message-id, and of its headers the texts, and numbers from 32,768 on', async () => {
      const queue = await queueWithOne();
      const python = (await pythonWith('stomp')) ?? '';
      const { headers, body } = await printedBy('receive-with-stomp.py', [python], {
        ...broker,
        ...{ queue },
      });
      const {
        timestamp,
        subscription: _,
        'message-id': ofTheSession,
        ...rest
      } = headers as Record<string, string>;
      isNow(timestamp);
      assert.notEqual(ofTheSession, 'm-1');
      assert.equal(body, '{"id":7}');
      const key = `order.placed.${queues}`;
      assert.deepEqual(rest, {
        'amqp-message-id': 'm-1',
        'app-id': 'shop',
        'content-length': '8',
        'content-type': 'application/json',
        'correlation-id': 'c-1',
        destination: `/exchange/${prefix}.events/${key}`,
        note: 'grüße',
        persistent: 'true',
        redelivered: 'false',
        type: key,
        weight: '70000',
      });
    });
  });

  withClient(rhea, () => {
    it('has its headers as application properties, but for tables and lists; before 4.0 it has none', async () => {
      const queue = await queueWithOne();
      const seen = await printedBy('receive-with-rhea.js', [process.execPath], { ...broker, ...{ queue } });
      const { body, content_type, correlation_id, creation_time, durable, message_id, ...rest } = seen;
      assert.deepEqual(
        { body, content_type, correlation_id, durable, message_id },
        {
          body: { data: '{"id":7}' },
          content_type: 'application/json',
          correlation_id: 'c-1',
          durable: true,
          message_id: 'm-1',
        },
      );
      const key = `order.placed.${queues}`;
      if (broker.isOld) {
        assert.equal(rest.subject, key);
        assert.equal(rest.application_properties, undefined);
        assert.match(String(creation_time), /^1970-/);
      } else {
        // The client reads a truth value that takes an octet as a number.
        const hot = 1;
        assert.deepEqual(rest.application_properties, { note: 'grüße', shard: 3, weight: 70_000, hot });
        assert.deepEqual(rest.message_annotations, {
          'x-basic-type': key,
          'x-exchange': `${prefix}.events`,
          'x-routing-key': key,
        });
        assert.equal(rest.group_id, 'shop');
        isNow(Date.parse(String(creation_time)) / 1_000);
      }
    });
  });

  withClient(celery, () => {
    it('is a task that a worker runs, if it has the form of one', async () => {
      const queue = `${prefix}-tasks`;
      const python = (await pythonWith('celery')) ?? '';
      const told = { ...broker, ...{ queue } };
      const seen = await printedBy('receive-with-celery.py', [python], told, async () => {
        const body = [[7], { currency: 'EUR' }, {}];
        const headers = { task: 'orders.place', id: 'task-1', shard: 3 };
        await bus.publish(queue, body, {
          headers,
          correlationId: 'task-1',
          exchange: { name: queue, declare: false },
        });
      });
      assert.deepEqual(seen, {
        args: [7],
        kwargs: { currency: 'EUR' },
        id: 'task-1',
        correlation_id: 'task-1',
        shard: 3,
      });
    });
  });
});
