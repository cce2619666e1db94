import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, HoplineError, rabbitmq } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { requireServerProgram } from '../support/broker/find-program.js';
import { PROVIDE_TIMEOUT_MS, PrivateCluster, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { longTest } from '../support/long.js';
import { type FaultBus, faultBus, raw, stopAll, uniqueName } from './fixture.js';

/** What waits for elections and redeliveries after the partition. */
const HEALED = { timeout: 60_000 };

/** What an unanswered publish is given: longer than it takes to look at another address, twice. */
const LOOKED_TWICE = '25s';

/**
 * A node that is cut off keeps its clients from 4.3 on, and on 4.0 where `cluster_partition_handling` is `ignore`. With
 * `pause_minority`, as 3.10 has it here, it closes its port; its clients are to be elsewhere just as soon.
 */
describe('a node of three', function () {
  this.timeout(240_000);
  let cluster: PrivateCluster;
  let pausesItself: boolean;
  /**
   * Mnesia's nodes remember a partition until the one that was cut off is started again: told to ignore it they stay apart, and
   * one that has paused itself pauses again when another node is killed.
   */
  let leavesTraces: boolean;
  let wasCutOff = false;
  let home: PrivateNode;
  let others: PrivateNode[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const { version } = await requireServerProgram();
    pausesItself = version?.startsWith('3.') ?? false;
    leavesTraces = /^(3\.|4\.0)/.test(version ?? '');
    const config = pausesItself ? [] : ['cluster_partition_handling = ignore'];
    cluster = await PrivateCluster.start({ name: 'split', config });
    [home, ...others] = cluster.nodes as [PrivateNode, ...PrivateNode[]];
  });

  afterEach(async () => {
    await stopAll();
    for (const node of cluster.nodes) if (node.pid === undefined) await node.restart();
    await cluster.heal();
    if (leavesTraces && wasCutOff) await home.restart();
    wasCutOff = false;
  });

  after(() => cluster?.stop());

  function busAt(nodes: readonly PrivateNode[], names = {}): FaultBus {
    const url = nodes.map((node) => node.url);
    return faultBus(url, { transport: rabbitmq({ url, heartbeat: '5s', connectDeadline: '5s' }), ...names });
  }

  const busAtHome = (names = {}) => busAt([home, ...others], names);

  // In short: stalls.test.ts, where a proxy swallows the confirms.
  longTest(
    'that is cut off is left for an address that confirms within 15 s, and nothing is lost; so is it by who only consumes, and who starts [row 44]',
    async () => {
      const names = { service: uniqueName('service'), prefix: uniqueName('prefix') };
      const queue = uniqueName('queue');
      const ledger = new Ledger();
      const publisher = busAtHome(names);
      const consumer = busAtHome(names);
      consumer.bus.handle('load', ({ number }) => ledger.handled(number), { queue });
      await consumer.bus.start();
      await publisher.bus.start();
      await cluster.sync();
      const load = steady(ledger, publisher.bus);
      await eventually(() => ledger.confirms > 100);

      const red: string[] = [];
      publisher.bus.on('connection.stalled', () => red.push(...publisher.bus.health().reasons));
      wasCutOff = true;
      await cluster.cutOff(home);
      const cutAt = performance.now();
      // One that pauses itself closes its port, and its clients may be elsewhere within a second.
      const confirmed = pausesItself ? ledger.confirms : await standsStill(ledger);
      await eventually(() => ledger.confirms > confirmed, { timeout: 30_000 });
      const movedMs = performance.now() - cutAt;
      assert.ok(movedMs < 15_000, `confirmed again after ${Math.round(movedMs)} ms`);
      if (!pausesItself) assert.match(red.join(), /has confirmed nothing .* cut off/);

      // It gets nothing there, and is to notice by itself.
      await eventually(() => assert.ok(consumer.seen('connection.up').length >= 4), { timeout: 60_000 });
      await eventually(() => assert.deepEqual(consumer.bus.health().reasons, []), HEALED);

      const fresh = busAtHome(names);
      const startedAt = performance.now();
      await fresh.bus.start();
      assert.ok(performance.now() - startedAt < 20_000, 'start() waited for the node that is cut off');
      await ledger.publish(fresh.bus, 'load', 1_000_000);

      await load.stop();
      await cluster.heal();
      await eventually(() => ledger.missing === 0, HEALED);
      assert.deepEqual(ledger.errors, []);
      ledger.assertBalanced();
    },
  );

  longTest(
    'that is healthy is not left since one queue has no quorum: the others go on [row 44]',
    async () => {
      const [second] = others as [PrivateNode];
      const ledger = new Ledger();
      const prefix = uniqueName('prefix');
      const { bus, seen } = busAtHome({ prefix });
      bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
      await bus.start();
      const alone = uniqueName('alone');
      await raw(second, async (channel) => {
        const args = { 'x-queue-type': 'quorum', 'x-quorum-initial-group-size': 1 };
        await channel.assertQueue(alone, { durable: true, arguments: args });
        await channel.bindQueue(alone, `${prefix}.events`, 'alone');
      });
      await cluster.sync();
      const load = steady(ledger, bus);
      await eventually(() => ledger.confirms > 100);
      await second.kill();
      const confirmed = ledger.confirms;
      await assert.rejects(bus.publish('alone', {}, { deadline: LOOKED_TWICE }), HoplineError);
      await load.stop();
      await eventually(() => ledger.missing === 0, HEALED);
      assert.ok(ledger.confirms > confirmed + 100, 'the others went on');
      assert.deepEqual([seen('connection.stalled'), seen('connection.up').length], [[], 2]);
      assert.deepEqual([bus.health().reasons, ledger.errors], [[], []]);
    },
  );

  longTest('that is healthy is not left while its queue elects another leader [row 44]', async () => {
    const names = { service: uniqueName('service'), prefix: uniqueName('prefix') };
    const queue = uniqueName('queue');
    const ledger = new Ledger();
    const declaring = busAtHome(names).bus.handle('load', () => {}, { queue });
    await declaring.start();
    await declaring.stop();
    const leader = await cluster.leaderOf(queue);
    const { bus, seen } = busAt(
      cluster.nodes.filter((node) => node !== leader),
      names,
    );
    bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    await bus.start();
    await cluster.sync();
    const load = steady(ledger, bus);
    await eventually(() => ledger.confirms > 100);
    await leader.kill();
    const confirmed = ledger.confirms;
    await eventually(() => ledger.confirms > confirmed + 500, HEALED);
    await load.stop();
    await eventually(() => ledger.missing === 0, HEALED);
    assert.deepEqual([seen('connection.stalled'), seen('connection.up').length], [[], 2]);
    assert.deepEqual(ledger.errors, []);
    ledger.assertBalanced();
  });
});

/** How many were confirmed when no more are. */
async function standsStill(ledger: Ledger): Promise<number> {
  for (let before = -1; ; ) {
    const { confirms } = ledger;
    if (before === confirms) return confirms;
    before = confirms;
    await pause(1_000);
  }
}

function steady(ledger: Ledger, bus: Bus) {
  let stopped = false;
  let next = 0;
  const publisher = async () => {
    while (!stopped) {
      await ledger.publish(bus, 'load', next++);
      await pause(50);
    }
  };
  const publishers = Promise.all(Array.from({ length: 10 }, publisher));
  return {
    stop() {
      stopped = true;
      return publishers;
    },
  };
}
