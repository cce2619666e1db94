import assert from 'node:assert/strict';
import { Bus, OutcomeUnknownError } from '../../../src/index.js';
import { type TestKit, testKit } from '../../../src/testing/index.js';

describe('faults of the test kit', () => {
  let kit: TestKit;
  afterEach(() => kit?.stop());

  /** What the handlers were given, across all processes. */
  let seen: unknown[];
  beforeEach(() => {
    seen = [];
  });

  const see = (bus: Bus) =>
    bus.handle('it.*', function see(payload, { attempt, redelivered, messageId }) {
      seen.push({ payload, attempt, redelivered, messageId });
    });

  it('redeliver: what was handled comes again, as the very same message', async () => {
    kit = await testKit({ configure: see });
    await kit.publish('it.one', 1, { messageId: 'first' });
    await kit.publish('it.two', 2, { messageId: 'second' });
    await kit.settled();
    kit.redeliver('it.one');
    await kit.settled();
    assert.deepEqual(seen, [
      { payload: 1, attempt: 1, redelivered: false, messageId: 'first' },
      { payload: 2, attempt: 1, redelivered: false, messageId: 'second' },
      { payload: 1, attempt: 1, redelivered: true, messageId: 'first' },
    ]);
    kit.redeliver();
    await kit.settled();
    assert.deepEqual(kit.handled('see').payloads, [1, 2, 1, 1]);
  });

  it('redeliver: what failed and went on as a copy was not handled', async () => {
    kit = await testKit({
      retry: { tries: 2, backoff: '81s' },
      configure: (bus) =>
        see(bus).handle('bad', () => {
          throw new Error('bad');
        }),
    });
    await kit.publish('it.one', 1);
    await kit.publish('bad', {});
    await kit.advance('1h');
    kit.deadLettered('bad').assertOnce();
    assert.match(kit.timeline(), /again in 1m21s\n\+1m21s /);
    kit.redeliver();
    await kit.settled();
    kit.handled('it.one').assertTimes(2);
    assert.throws(() => kit.redeliver('bad'), assert.AssertionError);
  });

  it('redeliver: nothing that was not handled can come again', async () => {
    kit = await testKit({ configure: see });
    assert.throws(() => kit.redeliver('it.*'), /'it\.\*' to have been handled.*\nnothing happened at all/);
  });

  it('loseConfirm: the message is stored, and its publisher does not know', async () => {
    kit = await testKit({ configure: see });
    kit.loseConfirm({ key: 'it.two' });
    await kit.publish('it.one', 1);
    await assert.rejects(kit.publish('it.two', 2, { messageId: 'x' }), (error: OutcomeUnknownError) => {
      assert.ok(error instanceof OutcomeUnknownError);
      assert.equal(error.messageId, 'x');
      return true;
    });
    await kit.publish('it.two', 3);
    await kit.settled();
    assert.deepEqual(kit.handled().payloads, [1, 2, 3]);
    assert.match(kit.timeline(), /fault: the confirm of 'it.two' was lost/);
  });

  it('loseConfirm of a retry: the original is held, and two copies come back', async () => {
    let failures = 0;
    kit = await testKit({
      retry: { tries: 2, backoff: '10s' },
      configure: (bus) =>
        bus.handle('it', (_, { attempt }) => {
          if (attempt > 1) return;
          failures += 1;
          throw new Error('once');
        }),
    });
    kit.loseConfirm({ of: 'retry' });
    await kit.publish('it', {});
    await kit.settled();
    kit.retried().assertNone();
    await kit.advance('1s');
    kit.retried().assertOnce();
    await kit.advance('10s');
    assert.equal(failures, 1);
    const [first, second] = kit.handled('it').assertTimes(2);
    assert.deepEqual([first?.attempt, second?.attempt], [2, 2]);
    assert.equal(first?.at, 10_000);
    assert.ok(second && second.at > 10_000, 'the second copy left later');
    assert.match(kit.timeline(), /warning: a retry or dead letter cannot be published/);
  });

  it('loseConfirm of a dead letter: it waits beside its held message, and so does the queue', async () => {
    let given = 0;
    kit = await testKit({
      concurrency: 1,
      settleDeadline: '20ms',
      configure: (bus) =>
        see(bus).handle(
          'bad',
          (_, context) => {
            context.fail('no use');
          },
          {
            failed: () => {
              given += 1;
            },
          },
        ),
    });
    kit.loseConfirm({ of: 'dead-letter', key: 'bad' });
    await kit.publish('bad', {});
    await kit.publish('it.waits', {});
    await kit.settled(); // what is held, and what waits behind it, wait for time
    kit.handled().assertNone();
    kit.deadLettered().assertNone();
    await kit.advance('1s');
    kit.deadLettered('bad').assertOnce();
    kit.handled('it.waits').assertOnce();
    assert.equal(given, 1);
  });

  it('crash at a retry: whether its copy is stored or not, the message is retried', async () => {
    for (const [at, handled] of [
      ['before-publish', 1],
      ['after-publish', 2],
    ] as const) {
      let failures = 0;
      const crashed = await testKit({
        configure: (bus) =>
          bus.handle('it', (_, { attempt }) => {
            if (attempt > 1) return;
            failures += 1;
            throw new Error('once');
          }),
      });
      await crashed.crash({ at, of: 'retry' });
      await crashed.publish('it', {});
      await crashed.advance('1m');
      assert.equal(failures, 2, 'the copy or not, the original comes again');
      crashed.handled('it').assertTimes(handled);
      await crashed.stop();
    }
  });

  it('crash: what was not acked comes again, to a process that knows nothing of before', async () => {
    let processes = 0;
    kit = await testKit({
      settleDeadline: '20ms',
      configure: (bus) => {
        const process = ++processes;
        bus.handle('it', function work(payload, { redelivered }) {
          seen.push({ process, payload, redelivered });
          return process === 1 && payload === 3 ? new Promise(() => {}) : undefined;
        });
      },
    });
    for (const payload of [1, 2, 3]) await kit.publish('it', payload);
    await assert.rejects(kit.settled());
    await kit.crash();
    await kit.settled();
    assert.deepEqual(seen, [
      { process: 1, payload: 1, redelivered: false },
      { process: 1, payload: 2, redelivered: false },
      { process: 1, payload: 3, redelivered: false },
      { process: 2, payload: 3, redelivered: true },
    ]);
    assert.deepEqual(kit.handled('work').payloads, [1, 2, 3]);
  });

  it('crash: a lock of the process is held until its time is over, and renewed by nobody', async () => {
    let isFirst = true;
    kit = await testKit({
      settleDeadline: '20ms',
      retry: { tries: 1 },
      configure: (bus) =>
        bus.handle('it', async function see(_payload, context) {
          const dies = isFirst;
          isFirst = false;
          const { fence } = await context.lock('l', { ttl: '10s', wait: '20s' });
          seen.push({ fence, redelivered: context.redelivered });
          if (dies) await new Promise(() => {});
        }),
    });
    await kit.publish('it', 1);
    await assert.rejects(kit.settled());
    await kit.advance('30s');
    assert.equal(seen.length, 1);
    await kit.crash();
    await kit.advance('5s');
    assert.equal(seen.length, 1, 'its time is not over');
    await kit.advance('10s');
    assert.deepEqual(seen, [
      { fence: 1, redelivered: false },
      { fence: 2, redelivered: true },
    ]);
  });

  it('crash before the ack: the handler has run, and runs again', async () => {
    kit = await testKit({ configure: see });
    await kit.crash({ at: 'before-ack', key: 'it.two' });
    await kit.publish('it.one', 1);
    await kit.publish('it.two', 2);
    await kit.settled();
    assert.deepEqual(kit.handled().payloads, [1, 2, 2]);
    assert.match(kit.timeline(), /fault: the process crashed before 'it.two' was acked/);
  });

  for (const [at, published] of [
    ['before-publish', 1],
    ['after-publish', 2],
  ] as const) {
    it(`crash ${at}: the message is published ${published === 1 ? 'once' : 'twice'}, and its handler runs twice`, async () => {
      let runs = 0;
      kit = await testKit({
        configure: (bus) =>
          see(bus).handle('order', async (_, context) => {
            runs += 1;
            await context.publish('it.follows', runs);
          }),
      });
      await kit.crash({ at });
      await kit.publish('order', {});
      await kit.settled();
      assert.equal(runs, 2);
      assert.equal(seen.length, published);
      kit.handled('order').assertOnce();
    });
  }

  it('crash of what is no more: what a dead process still does has no effect', async () => {
    let processes = 0;
    let release = () => {};
    const late: unknown[] = [];
    kit = await testKit({
      settleDeadline: '20ms',
      configure: (bus) => {
        const process = ++processes;
        see(bus).handle('order', async (_, context) => {
          if (process > 1) return;
          await new Promise<void>((resolve) => {
            release = resolve;
          });
          late.push('still here');
          await context.publish('it.ghost', {});
          late.push('never');
        });
      },
    });
    await kit.publish('order', {});
    await assert.rejects(kit.settled());
    await kit.crash();
    await kit.settled();
    release();
    await kit.advance('1h');
    assert.deepEqual(late, ['still here']);
    kit.published('it.*').assertNone();
    kit.handled('order').assertOnce();
  });

  it('lists what the broker itself gives up: a message that kills its process again and again', async () => {
    kit = await testKit({
      configure: (bus) => bus.handle('poison', () => {}, { queue: { name: 'q', deliveryLimit: 2 } }),
    });
    for (let crash = 0; crash < 3; crash += 1) await kit.crash({ at: 'before-ack' });
    await kit.publish('poison', { n: 1 });
    await kit.settled();
    const letter = kit.deadLettered('poison').assertOnce();
    assert.deepEqual(
      { reason: letter.reason, queue: letter.queue, payload: letter.payload },
      { reason: 'delivery-limit', queue: 'q', payload: { n: 1 } },
    );
  });

  it('tells when a new process can not start', async () => {
    let processes = 0;
    kit = await testKit({
      configure: (bus) => {
        processes += 1;
        bus.handle('it', () => {}, processes > 1 ? { concurrency: 0 } : {});
      },
    });
    await assert.rejects(kit.crash(), /concurrency/);
    await assert.rejects(kit.settled(), /concurrency/);
  });
});
