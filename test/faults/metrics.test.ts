import assert from 'node:assert/strict';
import { Registry } from 'prom-client';
import { prometheus } from '../../src/observe/prometheus/index.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { faultBus, stopAll, uniqueName } from './fixture.js';

describe('metrics', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let register: Registry;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });
  beforeEach(() => {
    register = new Registry();
  });
  afterEach(stopAll);

  async function valueIn(name: string, label = ''): Promise<number | undefined> {
    const lines = (await register.metrics()).split('\n');
    const found = lines.find((line) => line.startsWith(`hopline_${name}{`) && line.includes(label));
    return found === undefined ? undefined : Number(found.split(' ').at(-1));
  }

  const becomes = (name: string, label: string, value: number | undefined) =>
    eventually(async () => assert.equal(await valueIn(name, label), value), { timeout: 20_000 });

  const PUBLISH = 'connection="publish"';

  it('tell how long an alarm blocks publishing', async () => {
    const { bus } = faultBus(node.url);
    prometheus(bus, { register });
    await bus.start();
    await becomes('ready', '', 1);
    await node.ctl(...ALARMS.memory.on);
    let waiting: Promise<unknown> | undefined;
    try {
      // The broker blocks a connection when it next publishes.
      waiting = bus.publish('nobody.cares', {});
      await becomes('connection_blocked', PUBLISH, 1);
      await becomes('ready', '', 0);
      assert.equal(await valueIn('messages_published_total'), 1);
      assert.equal(await valueIn('messages_confirmed_total'), 0);
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
    await waiting;
    await becomes('connection_blocked', PUBLISH, 0);
    const blocked = (await valueIn('connection_blocked_seconds_total', PUBLISH)) ?? 0;
    assert.ok(blocked > 0.01 && blocked < 30, `${blocked}`);
    assert.equal(await valueIn('messages_confirmed_total'), 1);
  });

  it('bring what they can while the broker is away, and count its return', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus } = faultBus(node.url.replace(`:${node.port}`, `:${proxy.port}`));
    const queue = uniqueName('queue');
    bus.handle('k', () => {}, { queue });
    prometheus(bus, { register });
    await bus.start();
    await becomes('queue_consumers', queue, 1);
    assert.equal(await valueIn('consumers', queue), 1);
    proxy.stall('both');
    await becomes('connection_up', PUBLISH, 0);
    await becomes('consumers', queue, 0);
    await becomes('queue_consumers', queue, undefined);
    assert.ok(((await valueIn('scrape_errors_total', 'workload')) ?? 0) > 0);
    assert.equal(await valueIn('slots', queue), 10);
    assert.equal(await valueIn('reconnects_total', PUBLISH), 0);
    assert.ok(((await valueIn('connection_failures_total', PUBLISH)) ?? 0) > 0);
    proxy.resume();
    await becomes('connection_up', PUBLISH, 1);
    await becomes('reconnects_total', PUBLISH, 1);
    await becomes('queue_consumers', queue, 1);
    await bus.stop();
    await proxy.close();
  });
});
