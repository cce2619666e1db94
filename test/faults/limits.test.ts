import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ConnectError, PublishRejectedError } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { deadLettersOf, doubleAck, faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

describe('limits', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('of memory: publishes that expire while the broker is away leave nothing behind', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, seen } = faultBus(through(proxy, node));
    await bus.start();
    await proxy.close();
    await eventually(() => seen('connection.down').length >= 2);
    const before = bufferedBytes();
    const body = 'x'.repeat(1_000_000);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, () => bus.publish('nobody.cares', body, { deadline: '200ms' })),
    );
    assert.ok(outcomes.every(({ status }) => status === 'rejected'));
    await eventually(() => {
      const kept = bufferedBytes() - before;
      assert.ok(kept < 10_000_000, `${kept} bytes`);
    });
  });

  it('of channels: start() fails at once with a typed error', async () => {
    const limit = (channels: number) =>
      node.ctl('eval', `application:set_env(rabbit, channel_max, ${channels}).`);
    await limit(3);
    try {
      const { bus } = faultBus(node.url);
      for (let index = 0; index < 6; index += 1)
        bus.handle(`k${index}`, () => {}, { queue: uniqueName('queue') });
      await assert.rejects(bus.start(), (error: ConnectError) => {
        assert.ok(error instanceof ConnectError, error.stack);
        assert.match(error.message, /channel_max is reached .*No channels left/);
        assert.match(error.help, /channel_max in rabbitmq\.conf/);
        return true;
      });
    } finally {
      await limit(2_047);
    }
  });

  it('of a dead-letter queue: what it has no room for is held, its handler runs no more, and it gets there', async () => {
    const { bus, log } = faultBus(node.url, { publishDeadline: '1s' });
    const queue = uniqueName('queue');
    let runs = 0;
    bus.handle(
      'k',
      (_payload, context) => {
        runs += 1;
        context.fail('no use');
      },
      { queue, concurrency: 2 },
    );
    await bus.start();
    await node.ctl('set_policy', 'full', `^${queue}\\.dead$`, '{"max-length":1,"overflow":"reject-publish"}');
    try {
      for (const number of [1, 2, 3, 4, 5, 6]) await bus.publish('k', { number });
      await eventually(() => assert.ok(log.some((line) => line.includes('held and the queue paused'))));
    } finally {
      await node.ctl('clear_policy', 'full');
    }
    await eventually(async () => {
      assert.equal(await deadLettersOf(node, queue), 6);
    });
    assert.equal(runs, 6);
  });

  it('of patience: a channel that is closed over and over is opened more and more slowly', async () => {
    const { bus, seen } = faultBus(node.url);
    const queue = { name: uniqueName('queue'), deliveryLimit: 1_000 };
    bus.handle('k', (_payload, context) => doubleAck(context), { queue });
    await bus.start();
    const openedAt: number[] = [];
    await bus.publish('k', {});
    await eventually(async () => {
      if (seen('channel.reopened').length > openedAt.length) {
        openedAt.push(performance.now());
        await bus.publish('k', {});
      }
      return openedAt.length === 5;
    });
    // 50 + 100 + 200 + 400 ms, less a quarter for the jitter.
    const tookMs = (openedAt.at(-1) as number) - (openedAt[0] as number);
    assert.ok(tookMs > 700 * 0.75 - 50, `${tookMs} ms`);
  });

  it('of fault: thousands in flight beside publishes to a missing exchange are confirmed', async () => {
    const { bus } = faultBus(node.url);
    const exchange = { name: uniqueName('foreign'), declare: false } as const;
    await raw(node, (channel) => channel.assertExchange(exchange.name, 'topic'));
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { concurrency: 200 });
    await bus.start();
    await bus.publish('any', {}, { exchange });
    await raw(node, (channel) => channel.deleteExchange(exchange.name));
    const publishing = Promise.all(
      Array.from({ length: 5_000 }, (_, number) => ledger.publish(bus, 'load', number)),
    );
    await eventually(() => ledger.confirms > 100, { interval: 1 });
    const doomed = Array.from({ length: 3 }, () =>
      assert.rejects(bus.publish('any', {}, { exchange }), PublishRejectedError),
    );
    await Promise.all([publishing, ...doomed]);
    await eventually(() => ledger.missing === 0, { timeout: 20_000 });
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
  });
});

/** What buffers hold that somebody still refers to. */
function bufferedBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().arrayBuffers;
}
