import assert from 'node:assert/strict';
import { type BusHealth, rabbitmq } from '../../src/index.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { FrameProxy } from '../support/frame-proxy.js';
import { longTest } from '../support/long.js';
import { privateBroker } from '../support/private-broker.js';
import { type FaultBus, faultBus, stopAll, through, uniqueName } from './fixture.js';

/** What a stall takes to be seen, and a look; the rest is for a busy machine. */
const SEEN = { timeout: 25_000 };

/**
 * A node that is cut off, as its clients see it: the port is open, heartbeats flow, and no confirm comes. Here by proxies that
 * swallow confirms; partitions.test.ts has the real one.
 */
describe('an address that confirms nothing', function () {
  this.timeout(90_000);
  let node: PrivateNode;
  const proxies: FrameProxy[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    await stopAll();
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
  });

  async function proxy(): Promise<FrameProxy> {
    const started = await FrameProxy.start({ host: '127.0.0.1', port: node.port });
    proxies.push(started);
    return started;
  }

  function busOver(...ways: readonly FrameProxy[]): FaultBus {
    const url = ways.map((way) => through(way, node));
    return faultBus(url, { transport: rabbitmq({ url, heartbeat: '1s', connectDeadline: '2s' }) });
  }

  it('is left for the next that does, red meanwhile, and nothing is lost [row 44]', async () => {
    const [mute, sound] = [await proxy(), await proxy()];
    const { bus, seen } = busOver(mute, sound);
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    await bus.start();
    const red: BusHealth[] = [];
    bus.on('connection.stalled', () => red.push(bus.health()));
    mute.swallow('broker', 'basic.ack');
    const publishing = Promise.all(
      Array.from({ length: 100 }, (_, number) => ledger.publish(bus, 'load', number)),
    );
    await eventually(() => assert.equal(seen('connection.up').length, 4), SEEN);
    await publishing;
    await eventually(() => ledger.missing === 0);
    assert.deepEqual(ledger.errors, []);
    ledger.assertBalanced();
    assert.equal(ledger.confirms, 100);
    assert.deepEqual(
      red.map(({ ready, live, connections }) => [ready, live, connections[0]?.state]),
      [[false, true, 'stalled']],
    );
    for (const { address } of seen('connection.up').slice(2))
      assert.equal(address, `127.0.0.1:${sound.port}`);
    await eventually(() => assert.deepEqual(bus.health().reasons, []));
  });

  it('is kept if the next confirms nothing either, and is green again when it does [row 44]', async () => {
    const ways = [await proxy(), await proxy()] as const;
    const { bus, seen } = busOver(...ways);
    await bus.start();
    for (const way of ways) way.swallow('broker', 'basic.ack');
    const before = ways[1].swallowedFrames;
    const lost = bus.publish('nobody.cares', {}, { deadline: '60s' });
    lost.catch(() => {});
    await eventually(() => assert.equal(seen('connection.stalled').length, 1), SEEN);
    // The second look has come, and its confirm hasn't.
    await eventually(() => assert.ok(ways[1].swallowedFrames > before), SEEN);
    for (const way of ways) way.swallowNothing();
    await bus.publish('nobody.cares', {});
    await eventually(() => assert.equal(seen('connection.flowing').length, 1), SEEN);
    assert.deepEqual(bus.health().reasons, []);
    assert.deepEqual(seen('connection.down'), []);
  });

  it('does not keep a bus from starting: the next is taken [row 44]', async () => {
    const [mute, sound] = [await proxy(), await proxy()];
    mute.swallow('broker', 'basic.ack');
    const { bus, seen } = busOver(mute, sound);
    bus.handle('load', () => {}, { queue: uniqueName('queue') });
    const from = performance.now();
    await bus.start();
    assert.ok(performance.now() - from < 20_000);
    assert.deepEqual(
      seen('connection.up').map(({ address }) => address),
      [mute, mute, sound, sound].map(({ port }) => `127.0.0.1:${port}`),
    );
    await bus.publish('load', {});
  });

  // In short: the one before, where the address confirms nothing.
  longTest('does not keep a bus from starting if a declare is never answered there [row 44]', async () => {
    // The delays take their time, once: the second address has what is left of the deadline.
    const first = faultBus(node.url).bus;
    await first.start();
    await first.stop();
    const [mute, sound] = [await proxy(), await proxy()];
    mute.swallow('broker', 'exchange.declare-ok');
    const url = [mute, sound].map((way) => through(way, node));
    const { bus, seen } = faultBus(url, { startDeadline: '50s' });
    bus.handle('load', () => {}, { queue: uniqueName('queue') });
    await bus.start();
    assert.equal(seen('connection.up').at(-1)?.address, `127.0.0.1:${sound.port}`);
    await bus.publish('load', {});
  });
});
