import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { openControl } from '../../src/control/control.js';
import { Bus, rabbitmq } from '../../src/index.js';
import { Monitored } from '../../src/oversight/application/monitored.js';
import { Management } from '../../src/oversight/management/management.js';
import { silentLogger } from '../../src/util/logger.js';
import { type ManagedNode, ownManagedNode } from '../cli/managed-node.js';
import { raw } from '../faults/fixture.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';

const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
const STREAM = { durable: true, arguments: { 'x-queue-type': 'stream' } };

describe('a monitor that asks the management API', function () {
  this.timeout(60_000);
  let managed: ManagedNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    managed = await ownManagedNode();
  });
  after(() => managed?.node.stop());

  it('takes no message of another application, and keeps its connection beside a stream', async () => {
    const prefix = `alerts-${randomBytes(4).toString('hex')}`;
    const [foreign, stream, own] = ['theirs', 'theirs.stream', `${prefix}.work`];
    await raw(managed.node, async (channel) => {
      await channel.assertQueue(foreign, QUORUM);
      await channel.assertQueue(stream, STREAM);
      for (const queue of [foreign, stream]) channel.sendToQueue(queue, Buffer.from('1'));
      await channel.waitForConfirms();
    });
    const transport = rabbitmq({ url: managed.node.url });
    const bus = new Bus({ service: prefix, prefix, transport, log: silentLogger, failureLog: false });
    await bus.handle('work', () => {}, { queue: own }).start();
    const control = await openControl({ transport: rabbitmq({ url: managed.node.url }), prefix });
    await control.pause(own);
    await control.close();
    const monitored = new Monitored({
      transport: rabbitmq({ url: managed.node.url }),
      prefix,
      delayPrefix: undefined,
      queues: [],
      management: new Management(managed.managementUrl, '/'),
      wait: '300ms',
    });
    try {
      await bus.publish('work', 1);
      const look = async () =>
        new Map((await monitored.look()).queues.map((facts) => [facts.queue, facts] as const));
      const { peekIsFree } = (await monitored.opened()).brokerInfo;
      // The broker counts what is in a stream some time later.
      const seen = await eventually(
        async () => {
          const looked = await look();
          return looked.has(foreign) && looked.get(stream)?.length === 1 && looked;
        },
        { timeout: 20_000 },
      );
      for (const queue of [foreign, stream]) assert.equal(seen.get(queue)?.oldestMs, undefined, queue);
      assert.equal(seen.get(foreign)?.length, 1);
      assert.equal(typeof seen.get(own)?.oldestMs, peekIsFree ? 'number' : 'undefined');
      await raw(managed.node, async (channel) => {
        const message = await channel.get(foreign, { noAck: true });
        assert.ok(message);
        assert.equal(message.fields.redelivered, false);
      });
    } finally {
      await monitored.close();
      await bus.stop();
    }
  });
});
