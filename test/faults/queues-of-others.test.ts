import assert from 'node:assert/strict';
import { TopologyError } from '../../src/index.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('a queue that belongs to someone else', function () {
  this.timeout(90_000);
  let node: PrivateNode;
  let queue: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  beforeEach(() => {
    queue = uniqueName('theirs');
  });

  afterEach(async () => {
    await stopAll();
    await raw(node, (channel) => channel.deleteQueue(queue));
  });

  const made = (type: string) =>
    raw(node, (channel) =>
      channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } }),
    );

  const put = (body: string) =>
    raw(node, async (channel) => {
      channel.sendToQueue(queue, Buffer.from(JSON.stringify(body)));
      await channel.waitForConfirms();
    });

  it('is not made when its owner deletes it, and is consumed again, with its retries, when that makes it as another type', async () => {
    await made('classic');
    const { bus } = faultBus(node.url, { prefix: uniqueName('prefix') });
    const seen: string[] = [];
    bus.handle(
      '#',
      (payload: string, { attempt }) => {
        seen.push(`${payload} ${attempt}`);
        if (attempt === 1) throw new Error('once more');
      },
      { queue: { name: queue, declare: false }, name: 'reader', retry: { tries: 2, backoff: '200ms' } },
    );
    await bus.start();
    await put('before');
    await eventually(() => assert.ok(seen.includes('before 2')));
    await raw(node, (channel) => channel.deleteQueue(queue));
    await eventually(() => assert.match(bus.health().reasons.join(), /can't be: .*make it/), {
      timeout: 20_000,
    });
    await made('quorum');
    await put('after');
    await eventually(() => assert.ok(seen.includes('after 2'), `${seen}`), { timeout: 40_000 });
    assert.deepEqual(bus.health().reasons, []);
  });

  it('is refused if it is a stream', async () => {
    await made('stream');
    const { bus } = faultBus(node.url, { prefix: uniqueName('prefix') });
    bus.handle('#', () => {}, { queue: { name: queue, declare: false }, name: 'reader' });
    await assert.rejects(
      bus.start(),
      (error) => error instanceof TopologyError && /is a stream/.test(error.message),
    );
  });
});
