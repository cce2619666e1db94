import assert from 'node:assert/strict';
import {
  InvalidMessageError,
  MessageTooLargeError,
  PublishRejectedError,
  UnroutableError,
} from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { Ledger } from '../support/account.js';
import { ALARMS } from '../support/alarms.js';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { privateBroker } from '../support/private-broker.js';
import { deadLettersOf, faultBus, raw, stopAll, uniqueName } from './fixture.js';

describe('publishes', function () {
  this.timeout(60_000);
  let node: PrivateNode;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(stopAll);

  it('that a full queue refuses end in a PublishRejectedError after the retries [row 25]', async () => {
    const queue = uniqueName('full');
    const exchange = uniqueName('exchange');
    await raw(node, async (channel) => {
      await channel.assertExchange(exchange, 'topic');
      await channel.assertQueue(queue, { arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' } });
      await channel.bindQueue(queue, exchange, '#');
      await new Promise((resolve) => channel.publish(exchange, 'fill', Buffer.from('{}'), {}, resolve));
    });
    const { bus } = faultBus(node.url);
    await bus.start();
    const refused = watch(bus, 'message.rejected', 'message.published');
    const startedAt = performance.now();
    await assert.rejects(bus.publish('one.more', {}, { exchange }), PublishRejectedError);
    assert.deepEqual(
      refused.map(({ name }) => name),
      ['message.published', 'message.rejected'],
    );
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs > 4_000, `given up after ${tookMs} ms, while an election may take as long`);
    await bus.publish('elsewhere', {});
  });

  it('to an exchange that is gone fail alone: what was in flight beside them is confirmed', async () => {
    const { bus, seen } = faultBus(node.url);
    const exchange = uniqueName('foreign');
    await raw(node, (channel) => channel.assertExchange(exchange, 'topic'));
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number));
    await bus.start();
    const foreign = { exchange: { name: exchange, declare: false } } as const;
    await bus.publish('any', {}, foreign);
    await raw(node, (channel) => channel.deleteExchange(exchange));
    const doomed = assert.rejects(bus.publish('any', {}, foreign), (error: PublishRejectedError) => {
      assert.ok(error instanceof PublishRejectedError);
      assert.match(error.message, /no exchange/);
      return true;
    });
    await Promise.all([
      doomed,
      ...Array.from({ length: 200 }, (_, number) => ledger.publish(bus, 'load', number)),
    ]);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
    // The others were confirmed on channels of their own, perhaps before theirs is open again.
    await eventually(() => assert.ok(seen('channel.reopened').length > 0));
  });

  it('declare the own exchange again when somebody deletes it', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    const got: unknown[] = [];
    bus.handle('a.b', (payload) => void got.push(payload));
    await bus.start();
    await raw(node, (channel) => channel.deleteExchange(`${prefix}.events`));
    await bus.send('a.b', { n: 1 });
    await eventually(() => got.length === 1);
  });

  it('that can not be made for a retry hold their message: the handler does not run again at once [row 42]', async () => {
    const { bus, log, seen } = faultBus(node.url, { publishDeadline: '500ms' });
    const ledger = new Ledger();
    const attempts: string[] = [];
    const gate = deferred();
    bus.handle(
      'load',
      async ({ number }, { attempt }) => {
        attempts.push(`${number}.${attempt}`);
        await gate.promise;
        if (attempt === 1) throw new Error('once more');
        ledger.handled(number);
      },
      { retry: { backoff: '100ms' } },
    );
    await bus.start();
    await Promise.all([1, 2, 3].map((number) => ledger.publish(bus, 'load', number)));
    await eventually(() => assert.equal(attempts.length, 3));
    await node.ctl(...ALARMS.memory.on);
    try {
      // The broker blocks who publishes, and may still confirm what comes before it has.
      await eventually(() => assert.rejects(bus.publish('nobody.cares', {})));
      await eventually(() => seen('connection.blocked').length > 0);
      gate.resolve();
      await eventually(() => assert.ok(log.some((line) => line.includes('held and the queue paused'))));
      assert.deepEqual(attempts.toSorted(), ['1.1', '2.1', '3.1']);
    } finally {
      await node.ctl(...ALARMS.memory.off);
    }
    await eventually(() => ledger.missing === 0);
    assert.deepEqual(attempts.toSorted(), ['1.1', '1.2', '2.1', '2.2', '3.1', '3.2']);
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
  });

  it('of a send that nobody takes name the key and the exchange, also among many others [row 24]', async () => {
    const prefix = uniqueName('prefix');
    const { bus } = faultBus(node.url, { prefix });
    bus.handle('known', () => {});
    await bus.start();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 300 }, (_, n) => bus.send(n % 3 === 0 ? 'unknown' : 'known', { n })),
    );
    outcomes.forEach((outcome, n) => {
      assert.equal(outcome.status, n % 3 === 0 ? 'rejected' : 'fulfilled');
      if (outcome.status === 'fulfilled') return;
      assert.ok(outcome.reason instanceof UnroutableError);
      const { message } = outcome.reason;
      assert.ok(message.includes("'unknown'") && message.includes(`'${prefix}.events'`), message);
    });
  });

  it('with what can not be sent fail at the call, and the channel lives on [rows 26, 27]', async () => {
    const { bus, seen } = faultBus(node.url, { maxBodyBytes: 1_000 });
    await bus.start();
    await assert.rejects(bus.publish('a', 'x'.repeat(2_000)), MessageTooLargeError);
    await assert.rejects(
      bus.publish('a', {}, { headers: { big: 'x'.repeat(70_000) } }),
      MessageTooLargeError,
    );
    await assert.rejects(bus.publish('a', {}, { headers: { n: 1n as never } }), InvalidMessageError);
    await assert.rejects(bus.publish('a', {}, { headers: { s: Symbol('s') as never } }), InvalidMessageError);
    await assert.rejects(bus.publish('a.*', {}), InvalidMessageError);
    await bus.publish('a', {});
    assert.deepEqual(seen('channel.reopened'), []);
  });

  it("over the broker's own cap fail alone, with its words, and what is beside them is confirmed [row 26]", async () => {
    // 3.10 reads it in the one place, 4.x in the other.
    const cap = (bytes: number) =>
      node.ctl(
        'eval',
        `application:set_env(rabbit, max_message_size, ${bytes}), persistent_term:put(max_message_size, ${bytes}).`,
      );
    await cap(100_000);
    try {
      const { bus, seen } = faultBus(node.url);
      const ledger = new Ledger();
      bus.handle('load', ({ number }) => ledger.handled(number));
      await bus.start();
      const doomed = assert.rejects(
        bus.publish('large', 'x'.repeat(200_000)),
        (error: PublishRejectedError) => {
          assert.ok(error instanceof PublishRejectedError);
          assert.match(error.message, /message size 200002 is larger than configured max size 100000/);
          return true;
        },
      );
      await Promise.all([
        doomed,
        ...Array.from({ length: 100 }, (_, number) => ledger.publish(bus, 'load', number)),
      ]);
      await eventually(() => ledger.missing === 0);
      ledger.assertBalanced();
      assert.deepEqual(ledger.errors, []);
      assert.deepEqual(seen('connection.down'), []);
    } finally {
      await cap(134_217_728);
    }
  });

  it('for a retry whose exchange is gone are made when it is back; the handler does not run meanwhile [row 42]', async () => {
    const prefix = uniqueName('prefix');
    const queue = uniqueName('queue');
    const { bus, log } = faultBus(node.url, { prefix, topology: 'none', publishDeadline: '500ms' });
    const declaring = faultBus(node.url, { prefix });
    declaring.bus.handle('k', () => {}, { queue });
    await declaring.bus.start();
    await declaring.bus.stop();
    const ledger = new Ledger();
    const runs: string[] = [];
    bus.handle(
      'k',
      ({ number }, { redelivered }) => {
        runs.push(redelivered ? `${number} again` : `${number}`);
        ledger.handled(number);
        throw new Error('given up at once');
      },
      { queue, concurrency: 3, retry: { tries: 1 } },
    );
    await bus.start();
    await raw(node, (channel) => channel.deleteExchange(`${prefix}.dead`));
    await Promise.all([1, 2, 3].map((number) => ledger.publish(bus, 'k', number)));
    await eventually(() => assert.ok(log.some((line) => line.includes('held and the queue paused'))));
    await ledger.publish(bus, 'k', 4);
    await raw(node, async (channel) => {
      await channel.assertExchange(`${prefix}.dead`, 'direct');
      await channel.bindQueue(`${queue}.dead`, `${prefix}.dead`, queue);
    });
    // Each channel that closes meanwhile makes the pauses longer: those of the channel up to 10 s, those of what is held up to 30 s.
    // One that the broker has confirmed after its deadline is published again, and so are those in flight on the channel that it closes.
    await eventually(
      async () => {
        const found = await deadLettersOf(node, queue);
        assert.ok(found >= 4, `${found} dead letters`);
      },
      { timeout: 45_000 },
    );
    assert.deepEqual([...new Set(runs)].toSorted(), ['1', '2', '3', '4']);
    ledger.assertBalanced();
  });

  it('are confirmed before stop() ends [row 36]', async () => {
    const prefix = uniqueName('prefix');
    const ledger = new Ledger();
    const consuming = faultBus(node.url, { prefix });
    consuming.bus.handle('load', ({ number }) => ledger.handled(number));
    await consuming.bus.start();
    const { bus } = faultBus(node.url, { prefix });
    await bus.start();
    const publishing = Array.from({ length: 1_000 }, (_, number) => ledger.publish(bus, 'load', number));
    await bus.stop();
    assert.deepEqual([ledger.confirms, ledger.errors], [1_000, []]);
    await Promise.all(publishing);
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
  });
});
