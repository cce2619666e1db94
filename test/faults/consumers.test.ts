import assert from 'node:assert/strict';
import { usersOf } from '../../src/cli/topology/permissions.js';
import { type BusOptions, type MessageContext, OptionsError, TopologyError } from '../../src/index.js';
import { brokerFeatures } from '../../src/transport/amqp/connection/broker-features.js';
import { pause, systemClock } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { Ledger } from '../support/account.js';
import { serverVersion } from '../support/broker/amqp-probe.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { withConsumerTimeout } from './consumer-timeout.js';
import { doubleAck, faultBus, raw, stopAll, through, uniqueName } from './fixture.js';

describe('consumers', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('whose queue is deleted declare it again and go on [row 13]', async () => {
    const queue = uniqueName('queue');
    const { bus, seen } = faultBus(node.url);
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue });
    await bus.start();
    await ledger.publish(bus, 'load', 1);
    await eventually(() => ledger.missing === 0);
    await raw(node, (channel) => channel.deleteQueue(queue));
    await eventually(() => seen('consumer.restored').length === 1);
    assert.deepEqual(
      seen('consumer.cancelled').map((event) => event.queue),
      [queue],
    );
    await ledger.publish(bus, 'load', 2);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });

  it('that lose their channel leave their siblings and the connection alone [row 14]', async () => {
    const { bus, seen } = faultBus(node.url);
    const one = uniqueName('one');
    const handled: string[] = [];
    let hurt: MessageContext | undefined;
    bus.handle(
      'one',
      (_payload, context) => {
        handled.push('one');
        hurt ??= context;
      },
      { queue: one },
    );
    bus.handle('two', () => void handled.push('two'), { queue: uniqueName('two') });
    await bus.start();
    await bus.publish('one', {});
    await eventually(() => hurt !== undefined);
    doubleAck(hurt as MessageContext);
    await eventually(() => seen('channel.reopened').length === 1);
    await bus.publish('one', {});
    await bus.publish('two', {});
    await eventually(() => handled.includes('two') && handled.filter((name) => name === 'one').length >= 2);
    assert.deepEqual(seen('connection.down'), []);
    assert.deepEqual(
      seen('channel.reopened').map(({ channel }) => channel),
      [one],
    );
  });

  it('do not settle on another channel what the lost one had delivered [row 15]', async () => {
    const { bus, seen } = faultBus(node.url);
    const reasons: string[] = [];
    const attempts: boolean[] = [];
    const gate = deferred();
    bus.handle('slow', async (_payload, context) => {
      attempts.push(context.redelivered);
      context.signal.addEventListener('abort', () => reasons.push((context.signal.reason as Error).name));
      if (!context.redelivered) await gate.promise;
    });
    await bus.start();
    await bus.publish('slow', {});
    await eventually(() => attempts.length === 1);
    await node.ctl('close_all_connections', 'test');
    await eventually(() => seen('connection.down').length >= 2);
    gate.resolve();
    await eventually(() => attempts.length === 2);
    assert.deepEqual(attempts, [false, true]);
    assert.deepEqual(reasons, ['ChannelLostError']);
  });

  it('acknowledge nothing in place of what a lost channel had delivered [row 15]', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    const { bus, seen } = faultBus(through(proxy, node));
    const ledger = new Ledger();
    const first: (() => void)[] = [];
    const again: (() => void)[] = [];
    let copies = 0;
    const handled = watch(bus, 'handler.succeeded');
    bus.handle(
      'load',
      async ({ number }, { redelivered }) => {
        // Its ack may have gone with the connection: then it is a duplicate, and none of those that are looked at.
        if (redelivered && number === 0) {
          copies += 1;
          return;
        }
        await new Promise<void>((resolve) => void (redelivered ? again : first).push(resolve));
        if (redelivered || number === 0 || number === 11) ledger.handled(number);
      },
      // Room for the old and the new beside each other.
      { queue: { name: uniqueName('queue'), concurrency: 30 } },
    );
    await bus.start();
    await ledger.publish(bus, 'load', 0);
    await eventually(() => first.length === 1);
    first.pop()?.(); // widens the window
    await Promise.all(Array.from({ length: 10 }, (_, index) => ledger.publish(bus, 'load', index + 1)));
    await eventually(() => first.length === 10);
    proxy.reset();
    // The same delivery tags are in use again when the old handlers end.
    await eventually(() => assert.equal(again.length, 10), { timeout: 20_000 });
    for (const finish of first.splice(0)) finish();
    await eventually(() => assert.equal(handled.length - copies, 11));
    // Behind any ack of theirs.
    await ledger.publish(bus, 'load', 11);
    await eventually(() => first.length === 1);
    first.pop()?.();
    // What was acked in the new ones' place would not come once more.
    proxy.reset();
    await eventually(() => assert.ok(again.length >= 20), { timeout: 20_000 });
    await eventually(() => {
      for (const finish of again.splice(0)) finish();
      return ledger.missing === 0;
    });
    assert.ok(seen('connection.down').length >= 4);
    ledger.assertBalanced();
    await bus.stop();
    await proxy.close();
  });

  it('survive whatever a handler throws: each message is tried again and given up [row 20]', async () => {
    const queue = uniqueName('queue');
    const { bus, seen } = faultBus(node.url);
    const hostile = {
      get message(): string {
        throw new Error('not even its message');
      },
    };
    const throws: Record<string, () => unknown> = {
      sync: () => {
        throw new Error('at once');
      },
      async: () => Promise.reject(new Error('later')),
      null: () => Promise.reject(null),
      text: () => Promise.reject('no error at all'),
      nothing: () => Promise.reject(undefined),
      hostile: () => Promise.reject(hostile),
    };
    const attempts = new Map<string, number>();
    bus.handle(
      'k',
      ({ how }: { how: string }) => {
        attempts.set(how, (attempts.get(how) ?? 0) + 1);
        return throws[how]?.() as Promise<void>;
      },
      { queue, retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    const ways = Object.keys(throws);
    await Promise.all(ways.map((how) => bus.publish('k', { how })));
    await eventually(() => assert.equal(seen('message.deadLettered').length, ways.length));
    assert.deepEqual(Object.fromEntries(attempts), Object.fromEntries(ways.map((how) => [how, 2])));
    assert.deepEqual([seen('connection.down'), seen('channel.reopened')], [[], []]);
  });

  it('get their slot back from a handler that never ends, by its timeout and the grace [row 21]', async () => {
    const queue = uniqueName('queue');
    const { bus, seen } = faultBus(node.url, { concurrency: 1, timeoutGrace: '200ms' });
    const aborted: string[] = [];
    const handled: number[] = [];
    bus.handle(
      'k',
      ({ number }: { number: number }, { signal }) => {
        if (number > 0) {
          handled.push(number);
          return;
        }
        signal.addEventListener('abort', () => aborted.push((signal.reason as Error).name));
        return new Promise<void>(() => {});
      },
      { queue, timeout: '300ms', retry: { tries: 2, backoff: '100ms' } },
    );
    await bus.start();
    for (const number of [0, 1, 2]) await bus.publish('k', { number });
    await eventually(() => assert.equal(seen('message.deadLettered').length, 1));
    await eventually(() => assert.deepEqual(handled, [1, 2]));
    assert.deepEqual(aborted, ['HandlerTimeoutError', 'HandlerTimeoutError']);
    await bus.stop();
  });

  const timeoutBy = async () =>
    brokerFeatures({ product: 'RabbitMQ', version: await serverVersion(node.url) }).consumerTimeoutBy;

  /** A job that takes three times as long as the broker waits by its configuration. */
  async function longJob(options: Partial<BusOptions> = {}) {
    const { bus, log, seen } = faultBus(node.url, { timeout: '40m', ...options });
    const queue = uniqueName('queue');
    const runs: boolean[] = [];
    const succeeded = watch(bus, 'handler.succeeded');
    const handle = async (_payload: unknown, { redelivered }: MessageContext) => {
      runs.push(redelivered);
      if (!redelivered) await pause(systemClock, 4_500);
    };
    bus.handle('load', handle, { queue });
    return { bus, log, seen, queue, runs, succeeded };
  }

  it("that keep a message beyond the broker's consumer_timeout are told of it, and get it again, unless the broker lets them tell it [rows 22, 53]", async () => {
    await withConsumerTimeout(node, 1_500, async () => {
      const { bus, log, seen, queue, runs, succeeded } = await longJob({ consumerTimeout: '2h' });
      await bus.start();
      await bus.publish('load', { number: 1 });
      if ((await timeoutBy()) === 'consumer') {
        await eventually(() => assert.equal(succeeded.length, 1), { timeout: 20_000 });
        assert.deepEqual([runs, seen('consumer.cancelled')], [[false], []]);
        return;
      }
      await eventually(() => assert.deepEqual(runs, [false, true]), { timeout: 20_000 });
      assert.deepEqual(
        seen('channel.reopened').map(({ channel }) => channel),
        [queue],
      );
      assert.ok(
        log.some((line) => /not 2h.*consumerTimeout: 1500 /.test(line) && line.includes(queue)),
        log.join('\n'),
      );
      assert.deepEqual(seen('connection.down'), []);
    });
  });

  it('that run for longer than the broker waits are refused where nothing keeps them from running twice, and run once under the policy that is printed for them [row 53]', async () => {
    await withConsumerTimeout(node, 1_500, async () => {
      const { bus } = await longJob();
      const [user] = usersOf([bus.describe()], { vhost: '/', occasions: [] });
      const [timeout] = user?.consumerTimeouts ?? [];
      assert.ok(timeout);
      const by = await timeoutBy();
      if (by !== 'consumer')
        await assert.rejects(bus.start(), (error: Error) => {
          assert.ok(error instanceof OptionsError);
          assert.match(
            error.message,
            /timeout of 40m .* 30m.*redisStores.*consumerTimeout: .*RabbitMQ 4\.3/s,
          );
          assert.match(error.message, by === 'policy' ? /'consumer-timeout': \d+/ : /consumer_timeout = \d+/);
          return true;
        });
      if (by === 'configuration') return;
      const { bus: told, queue, runs, succeeded } = await longJob({ consumerTimeout: timeout.ms });
      const definition = JSON.stringify({ 'consumer-timeout': timeout.ms });
      await node.ctl('set_policy', '--apply-to', 'queues', queue, `^${queue}$`, definition);
      await told.start();
      await told.publish('load', { number: 1 });
      await eventually(() => assert.equal(succeeded.length, 1), { timeout: 20_000 });
      assert.deepEqual(runs, [false]);
    });
  });

  it('let fast messages pass a slow one [row 23]', async () => {
    const { bus } = faultBus(node.url, { concurrency: 2 });
    const ledger = new Ledger();
    const gate = deferred();
    bus.handle('load', async ({ number }) => {
      if (number === 0) await gate.promise;
      ledger.handled(number);
    });
    await bus.start();
    for (let number = 0; number <= 100; number += 1) await ledger.publish(bus, 'load', number);
    await eventually(() => assert.equal(ledger.account().handled, 100));
    gate.resolve();
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });

  it('keep to their timeouts and pauses when the clock is set, forwards or back [row 40]', async () => {
    const { bus, seen } = faultBus(node.url, { timeout: '30s' });
    const ledger = new Ledger();
    const attempts: string[] = [];
    const gate = deferred();
    bus.handle(
      'load',
      async ({ number }, { attempt }) => {
        attempts.push(`${number}.${attempt}`);
        if (number === 0) await gate.promise;
        if (number === 1 && attempt === 1) throw new Error('once more');
        ledger.handled(number);
      },
      { retry: { tries: 3, backoff: '400ms' } },
    );
    await bus.start();
    const now = Date.now;
    const jumps = [3_600_000, -3_600_000];
    try {
      await ledger.publish(bus, 'load', 0);
      await eventually(() => attempts.includes('0.1'));
      for (const [index, jump] of jumps.entries()) {
        const number = 10 + index;
        const publishing = ledger.publish(bus, 'load', number);
        Date.now = () => now() + jump;
        await publishing;
        await eventually(() => attempts.includes(`${number}.1`));
      }
      await ledger.publish(bus, 'load', 1);
      await eventually(() => attempts.includes('1.2'), { timeout: 5_000 });
      gate.resolve();
      await eventually(() => ledger.missing === 0);
      await bus.stop();
    } finally {
      Date.now = now;
    }
    assert.deepEqual(attempts.toSorted(), ['0.1', '1.1', '1.2', '10.1', '11.1']);
    assert.deepEqual([seen('connection.down'), seen('message.deadLettered'), ledger.errors], [[], [], []]);
    ledger.assertBalanced();
  });

  it('whose queue exists with other arguments fail start() with both values, and disturb nobody [row 10]', async () => {
    const queue = uniqueName('queue');
    await raw(node, (channel) =>
      channel.assertQueue(queue, {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 5 },
      }),
    );
    const sibling = faultBus(node.url);
    await sibling.bus.start();
    const { bus, seen } = faultBus(node.url);
    bus.handle('a', () => {}, { queue });
    await assert.rejects(bus.start(), (error: TopologyError) => {
      assert.ok(error instanceof TopologyError);
      assert.equal(error.resource, `queue '${queue}'`);
      assert.match(error.message, /inequivalent arg '[^']+'.*received .+ but current is/);
      return true;
    });
    assert.equal(seen('topology.failed').length, 1);
    await sibling.bus.publish('a', {});
    assert.deepEqual(sibling.seen('connection.down'), []);
  });
});
