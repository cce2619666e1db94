import assert from 'node:assert/strict';
import { type Channel, type ChannelModel, connect } from 'amqplib';
import { openControl } from '../../src/control/control.js';
import type { BrokerModel } from '../../src/dashboard/pages/broker/model.js';
import type { TopologyModel } from '../../src/dashboard/pages/topology/model.js';
import type { Site } from '../../src/dashboard/site/site.js';
import { topologyFacts } from '../../src/dashboard/site/topology-facts.js';
import { startWatch } from '../../src/dashboard/site/watch.js';
import { Bus, rabbitmq } from '../../src/index.js';
import { Management } from '../../src/oversight/management/management.js';
import { Names } from '../../src/topology/names.js';
import { silentLogger } from '../../src/util/logger.js';
import { type ManagedNode, managedNode } from '../cli/managed-node.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { drawn, siteOf } from './drawn.js';

const QUEUES = ['one', 'two', 'three', 'four'];

describe('the pages of the broker and of the topology, on RabbitMQ with its management API', function () {
  this.timeout(60_000);
  let managed: ManagedNode;
  let connection: ChannelModel;
  let channel: Channel;
  let bus: Bus;
  let site: Site;
  let close: (() => Promise<void>) | undefined;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await managedNode();
    const transport = rabbitmq({ url: managed.node.url });
    bus = new Bus({ service: 'shop', transport, log: silentLogger });
    bus.handle('order.placed', () => {}, { name: 'Ship', queue: 'shop.ship' });
    await bus.start();
    connection = await connect(managed.node.url);
    channel = await connection.createChannel();
    for (const queue of QUEUES) await channel.assertQueue(queue);
    await channel.assertExchange('fan', 'fanout');
    await channel.assertExchange('exact', 'direct');
    await channel.bindQueue('one', 'hopline.events', 'order.*');
    await channel.bindQueue('two', 'hopline.events', '#.paid');
    await channel.bindQueue('three', 'fan', 'whatever');
    await channel.bindQueue('four', 'exact', 'order.paid');
    await channel.bindExchange('fan', 'hopline.events', 'order.#');
    await channel.bindExchange('exact', 'fan', '');
    const management = new Management(managed.managementUrl, '/');
    const watch = startWatch({
      transport,
      management,
      queues: QUEUES,
      wait: '200ms',
      every: '500ms',
      log: silentLogger,
    });
    const control = await openControl({ transport, wait: '200ms', log: silentLogger });
    const names = new Names();
    site = siteOf({
      ...{ names, watch, management, control: async () => control, broker: 'localhost' },
      topology: () => topologyFacts({ names, watch, management, control: async () => control }),
    });
    close = async () => {
      await Promise.all([watch.close(), control.close()]);
    };
  });
  after(async () => {
    await close?.();
    await bus?.stop();
    await connection?.close();
  });

  it('say that a key reaches the queues that the broker then puts its message into', async () => {
    await eventually(async () => assert.ok((await site.topology()).queues.includes('four')));
    for (const key of ['order.paid', 'order.x.paid', 'order.placed', 'paid', 'nothing', 'order']) {
      const query = `exchange=hopline.events&key=${key}`;
      const { model } = await drawn<TopologyModel>('topology', site, { query });
      const said = model.question.answer?.queues.filter((queue) => QUEUES.includes(queue));
      channel.publish('hopline.events', key, Buffer.from('{}'));
      const sentinel = Buffer.from('the end');
      for (const queue of QUEUES) channel.sendToQueue(queue, sentinel);
      const got: string[] = [];
      for (const queue of QUEUES) if ((await firstOf(queue)) !== 'the end') got.push(queue);
      assert.deepEqual(said, got.toSorted(), key);
    }
  });

  /** First message of a queue, which is emptied. */
  async function firstOf(queue: string): Promise<string> {
    const first = await eventually(() => channel.get(queue, { noAck: true }));
    await eventually(async () => (await channel.checkQueue(queue)).messageCount <= 1);
    await channel.purgeQueue(queue);
    return first.content.toString();
  }

  it('draw foreign queues beside those of the bus, with its handlers', async () => {
    const { model, text } = await drawn<TopologyModel>('topology', site);
    assert.deepEqual(
      model.queues.map(({ queue }) => queue),
      ['four', 'one', 'shop.ship', 'three', 'two'],
    );
    assert.match(text, /hopline\.events topic order\.placed queue shop\.ship Ship/);
    assert.match(text, /fan fanout exchange exact|fan fanout {2}exchange exact/);
  });

  it('say what the broker is, how near its node is to an alarm, and who its quorums are', async () => {
    const { model, text } = await eventually(
      async () => {
        const page = await drawn<BrokerModel>('broker', site);
        const [own] = page.model.broker.nodes;
        return own?.memoryShare !== undefined && own.diskShare !== undefined && page;
      },
      // The node tells of itself some ten seconds after it has begun.
      { timeout: 30_000 },
    );
    assert.match(text, /^ *RabbitMQ \d+\.\d+/);
    const [node] = model.broker.nodes;
    assert.ok(node);
    assert.match(text, /running [\d.<]+ ?[\d.]* ?% .*% none/);
    const ship = model.quorums?.find(({ queue }) => queue === 'shop.ship');
    assert.deepEqual([ship?.state, ship?.members, ship?.away], ['whole', [node.name], []]);
    assert.doesNotMatch(text, /guest/);
  });
});
