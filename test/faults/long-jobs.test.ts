import assert from 'node:assert/strict';
import type { Stores } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { brokerFeatures } from '../../src/transport/amqp/connection/broker-features.js';
import { pause, systemClock } from '../../src/util/clock.js';
import { serverVersion } from '../support/broker/amqp-probe.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { provideRedis, type TestRedis } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { withConsumerTimeout } from './consumer-timeout.js';
import { deadLettersOf, faultBus, raw, stopAll, through, uniqueName } from './fixture.js';
import { killWorkers, startProcess } from './worker.js';

describe('jobs that take long', function () {
  this.timeout(60_000);
  let node: PrivateNode;
  let redis: TestRedis;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    [node, redis] = await Promise.all([privateBroker(), provideRedis()]);
  });

  after(() => redis?.stop());

  afterEach(async () => {
    await killWorkers();
    await stopAll();
  });

  it('run once, though the broker takes them back again and again, and a connection is cut [rows 22, 53]', async () => {
    await withConsumerTimeout(node, 1_000, async () => {
      const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
      const service = uniqueName('video');
      const stores: Stores = { ...memoryStores(systemClock), isOfProcess: false };
      const runs: unknown[] = [];
      const workers = [through(proxy, node), node.url].map((url) => {
        const made = faultBus(url, { service, prefix: service, stores, consumerTimeout: '1s' });
        const handle = async (payload: unknown) => {
          runs.push(payload);
          await pause(systemClock, 5_000);
        };
        const queue = { name: `${service}.jobs`, concurrency: 2 };
        made.bus.handle('job', handle, { name: 'Encode', timeout: '20s', long: { lease: '2s' }, queue });
        const guards = watch(made.bus, 'message.guarded');
        return { ...made, guards, ends: watch(made.bus, 'handler.succeeded') };
      });
      const [cut, other] = workers as [(typeof workers)[number], (typeof workers)[number]];
      await other.bus.start();
      await cut.bus.start();
      for (const number of [1, 2, 3]) await other.bus.publish('job', number);
      await eventually(() => assert.equal(runs.length, 3));
      const told = await timeoutBy();
      if (told !== 'consumer')
        await eventually(() => assert.ok(workers.some(({ guards }) => guards.length > 0)), {
          timeout: 10_000,
        });
      proxy.reset();
      await eventually(() => assert.equal(cut.ends.length + other.ends.length, 3), { timeout: 20_000 });
      await eventually(
        async () => {
          const left = await Promise.all(['jobs', 'guards'].map((name) => messagesIn(`${service}.${name}`)));
          assert.deepEqual([...left, await messagesInDelays()], [0, 0, 0]);
        },
        { timeout: 10_000 },
      );
      assert.deepEqual(runs.toSorted(), [1, 2, 3]);
      assert.equal(await deadLettersOf(node, `${service}.jobs`), 0);
      await proxy.close();
    });
  });

  it('run again, once, when their lease is over, if their process is killed', async () => {
    const { prefix, start, send } = await laid();
    const first = await start();
    await send('one');
    await eventually(() => first.said.includes('began one'));
    const heir = await start();
    const killedAt = performance.now();
    first.process.kill('SIGKILL');
    await eventually(() => heir.said.includes('done one'), { timeout: 20_000 });
    assert.deepEqual(heir.said.filter((what) => what !== 'started').slice(0, 2), [
      'guarded',
      'began again one',
    ]);
    assert.ok(performance.now() - killedAt > 2_000);
    assert.equal(await messagesIn(`${prefix}.guards`), 0);
  });

  it('that stand still past their lease give way: their first sight is their signal, and what they do then is refused', async () => {
    const { prefix, start, send, seen } = await laid();
    const first = await start();
    await send('one');
    await eventually(() => first.said.includes('began one'));
    first.process.kill('SIGSTOP');
    const heir = await start();
    await eventually(() => heir.said.includes('done one'), { timeout: 30_000 });
    first.process.kill('SIGCONT');
    await eventually(() => assert.ok(first.said.length >= 5), { timeout: 10_000 });
    assert.deepEqual(
      first.said.filter((what) => !['up', 'started', 'guarded'].includes(what)),
      ['began one', 'signal true true', 'refused HOPLINE_LEASE_LOST', 'refused HOPLINE_LEASE_LOST'],
    );
    assert.deepEqual(seen, ['one']);
    await eventually(async () => assert.equal(await messagesIn(`${prefix}.jobs`), 0));
  });

  /** A service of its own, and what its jobs have published. */
  async function laid() {
    const prefix = uniqueName('video');
    const seen: unknown[] = [];
    const { bus } = faultBus(node.url, { prefix });
    bus.handle('encoded', (payload) => void seen.push(payload));
    await bus.start();
    return {
      prefix,
      seen,
      start: async () => {
        const worker = startProcess('./job-process.js', node.url, prefix, redis.url, '2000', '1500');
        await eventually(() => worker.said.includes('started'));
        return worker;
      },
      send: (job: string) => bus.publish('job', job),
    };
  }

  const messagesIn = (queue: string) =>
    raw(node, async (channel) => (await channel.checkQueue(queue)).messageCount);

  const timeoutBy = async () =>
    brokerFeatures({ product: 'RabbitMQ', version: await serverVersion(node.url) }).consumerTimeoutBy;

  /** Of the whole node, whose other tests leave none there. */
  async function messagesInDelays(): Promise<number> {
    const listed = await node.ctl('list_queues', '--quiet', '--no-table-headers', 'name', 'messages');
    const counts = listed.split('\n').filter((line) => /^hopline\.delay\.1\.\d/.test(line));
    return counts.reduce((sum, line) => sum + Number(line.split('\t')[1]), 0);
  }
});
