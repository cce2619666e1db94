import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, rabbitmq } from 'hopline';
import { Ledger } from '../support/account.js';
import { requireServerProgram } from '../support/broker/find-program.js';
import { PROVIDE_TIMEOUT_MS, PrivateCluster, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { type FaultBus, faultBus, stopAll, uniqueName } from './fixture.js';

/** What waits for elections and redeliveries after the partition. */
const HEALED = { timeout: 60_000 };

/**
 * Before 4.3 only where `cluster_partition_handling` is `ignore`; 4.3 never pauses a minority. An older 3.x with
 * `pause_minority` closes its port, which is row 37.
 */
describe('a node that is cut off from its majority', function () {
  this.timeout(240_000);
  let cluster: PrivateCluster | undefined;
  let home: PrivateNode;
  let others: PrivateNode[];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    const { version } = await requireServerProgram();
    if (version?.startsWith('3.')) return;
    cluster = await PrivateCluster.start({ name: 'split', config: ['cluster_partition_handling = ignore'] });
    [home, ...others] = cluster.nodes as [PrivateNode, ...PrivateNode[]];
  });

  afterEach(async () => {
    await stopAll();
    await cluster?.heal();
  });

  after(() => cluster?.stop());

  function busAtHome(names = {}): FaultBus {
    const url = [home, ...others].map((node) => node.url);
    return faultBus(url, { transport: rabbitmq({ url, heartbeat: '5s', connectDeadline: '5s' }), ...names });
  }

  it('is left for an address that confirms within 15 s, red meanwhile, and nothing is lost; so is it by who only consumes, and who starts [row 44]', async () => {
    if (!cluster) return;
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
    await cluster.cutOff(home);
    const cutAt = performance.now();
    const confirmed = await standsStill(ledger);
    await eventually(() => ledger.confirms > confirmed, { timeout: 30_000 });
    const movedMs = performance.now() - cutAt;
    assert.ok(movedMs < 15_000, `confirmed again after ${Math.round(movedMs)} ms`);
    assert.match(red.join(), /has confirmed nothing .* cut off/);

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
