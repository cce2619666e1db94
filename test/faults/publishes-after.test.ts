import assert from 'node:assert/strict';
import type { MessageContext } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { systemClock } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, stopAll, through, uniqueName } from './fixture.js';
import { killWorkers, startWorker } from './worker.js';

interface Seen {
  readonly key: string;
  readonly id: string | undefined;
  readonly attempt: unknown;
}

describe('publishes after an attempt', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    await killWorkers();
    await stopAll();
  });

  /** Two services that get each event: one knows what it has had, one takes what comes. */
  async function takers(prefix: string) {
    const taken: Seen[] = [];
    const handled: Seen[] = [];
    const into = (list: Seen[]) => (payload: { attempt: number }, context: MessageContext) =>
      void list.push({ key: context.routingKey, id: context.messageId, attempt: payload.attempt });
    const plain = faultBus(node.url, { prefix });
    await plain.bus.handle('event.*', into(taken)).start();
    const knowing = faultBus(node.url, { prefix, stores: memoryStores(systemClock) });
    await knowing.bus.handle('event.*', into(handled), { idempotent: {}, name: 'Know' }).start();
    return { taken, handled, bus: plain.bus };
  }

  it('of a handler that fails twice, and is killed between the confirm of an event and the ack, are one event each, under one id', async () => {
    const service = uniqueName('shop');
    const { taken, handled, bus } = await takers(service);
    const dying = startWorker('dies at the confirm of an event', node.url, service);
    await eventually(() => assert.ok(dying.said.includes('started')));
    await bus.send('work', { number: 1 });
    assert.equal(await dying.end, 'SIGKILL');
    const attempts = dying.said.filter((what) => what.startsWith('began'));
    assert.equal(attempts.length, 3);
    const heir = startWorker('publishes after its third attempt', node.url, service);
    await eventually(() => assert.ok(heir.said.includes('handled 1')), { timeout: 30_000 });
    const keys = ['event.a', 'event.b', 'event.c'];
    await eventually(() => assert.equal(taken.length, 6));
    await eventually(() => assert.deepEqual(handled.map(({ key }) => key).toSorted(), keys));
    for (const key of keys) {
      const ids = taken.filter((each) => each.key === key).map(({ id }) => id);
      assert.equal(new Set(ids).size, 1, key);
    }
    assert.equal(new Set(taken.map(({ id }) => id)).size, 3);
    assert.deepEqual([...new Set(taken.map(({ attempt }) => attempt))], [3]);
  });

  it('whose connection is cut between the confirm and the ack are there; an idempotent handler does not run again', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    try {
      const prefix = uniqueName('prefix');
      const { taken, bus } = await takers(prefix);
      const shop = faultBus(through(proxy, node), { prefix });
      let runs = 0;
      shop.bus.handle(
        'work',
        async (_payload, context) => {
          runs += 1;
          await context.send('event.a', { attempt: runs });
        },
        { publishes: 'after', idempotent: {}, name: 'Work' },
      );
      let cuts = 0;
      let skips = 0;
      shop.bus.on('message.confirmed', ({ routingKey }) => {
        if (routingKey !== 'event.a' || cuts > 0) return;
        cuts += 1;
        proxy.reset();
      });
      shop.bus.on('message.skipped', () => {
        skips += 1;
      });
      await shop.bus.start();
      await bus.send('work', {});
      await eventually(() => assert.equal(skips, 1));
      assert.equal(runs, 1);
      await eventually(() => assert.equal(taken.length, 1));
    } finally {
      await stopAll();
      await proxy.close();
    }
  });

  it('hold their message during an alarm: its handler does not run again, and they leave once it is over', async () => {
    const prefix = uniqueName('prefix');
    const { taken, handled, bus: sender } = await takers(prefix);
    const { bus, log, seen } = faultBus(node.url, { prefix, publishDeadline: '500ms' });
    const gate = deferred();
    let runs = 0;
    bus.handle(
      'work',
      async (_payload, context) => {
        runs += 1;
        await context.publishMany('event.a', [{ attempt: 1 }, { attempt: 2 }]);
        await gate.promise;
      },
      { publishes: 'after' },
    );
    await bus.start();
    await sender.send('work', {});
    await eventually(() => assert.equal(runs, 1));
    await node.ctl(...ALARMS.memory.on);
    try {
      // The broker blocks who publishes, and may still confirm what comes before it has.
      await eventually(() => assert.rejects(bus.publish('nobody.cares', {})));
      await eventually(() => seen('connection.blocked').length > 0);
      gate.resolve();
      await eventually(() =>
        assert.ok(log.some((line) => line.includes('what a handler has published cannot be published'))),
      );
      assert.equal(runs, 1);
      assert.equal(taken.length, 0);
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
    await eventually(() => assert.equal(handled.length, 2));
    await eventually(() => assert.equal(new Set(taken.map(({ id }) => id)).size, 2));
    assert.equal(runs, 1);
  });

  it('that the end of a bus leaves unpublished are published by who handles the message next', async () => {
    const prefix = uniqueName('prefix');
    const service = uniqueName('shop');
    const stores = memoryStores(systemClock);
    const { taken, bus: sender } = await takers(prefix);
    const gate = deferred();
    const runs: string[] = [];
    const start = async (name: string) => {
      const options = { service, prefix, stores, publishDeadline: '500ms', stopDeadline: '5s' } as const;
      const shop = faultBus(node.url, options);
      shop.bus.handle(
        'work',
        async (_payload, context) => {
          runs.push(name);
          await context.publish('event.a', { attempt: 1 });
          await gate.promise;
        },
        { publishes: 'after', idempotent: {}, name: 'Work' },
      );
      await shop.bus.start();
      return shop;
    };
    const first = await start('first');
    await sender.send('work', {});
    await eventually(() => assert.deepEqual(runs, ['first']));
    await node.ctl(...ALARMS.memory.on);
    try {
      await eventually(() => assert.rejects(first.bus.publish('nobody.cares', {})));
      await eventually(() => first.seen('connection.blocked').length > 0);
      gate.resolve();
      await eventually(() => assert.ok(first.log.some((line) => line.includes('cannot be published'))));
      await first.bus.stop().catch(() => {});
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
    assert.deepEqual(taken, []);
    await start('second');
    await eventually(() => assert.equal(taken.length, 1));
    assert.deepEqual(runs, ['first', 'second']);
  });
});
