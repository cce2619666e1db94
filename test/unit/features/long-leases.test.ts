import assert from 'node:assert/strict';
import { HandlerContext } from '../../../src/consume/attempt/context.js';
import { deadLetter } from '../../../src/consume/settle/republish.js';
import { republished, toQueue } from '../../../src/failures/acting/replay.js';
import { readLetter } from '../../../src/failures/letters/read-letter.js';
import { HeldLease } from '../../../src/features/long/held-lease.js';
import { longStage } from '../../../src/features/long/stage.js';
import { watching } from '../../../src/features/long/watching-signal.js';
import {
  Bus,
  type BusOptions,
  defineRequest,
  type HandleOptions,
  LeaseLostError,
  memory,
  rabbitmq,
  type Stores,
} from '../../../src/index.js';
import type { OutgoingMessage } from '../../../src/message/message.js';
import type { Headers } from '../../../src/message/properties.js';
import { receive } from '../../../src/pipeline/received.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { MemoryLeases } from '../../../src/stores/memory/leases.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { systemClock } from '../../../src/util/clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { silentLogger } from '../../../src/util/logger.js';
import { handler, names, TestDelivery, workFor } from '../consume/fixtures.js';
import { problemsOf } from '../option-problems.js';

describe('a lease that is held', () => {
  async function held() {
    const clock = new ManualClock();
    const store = new MemoryLeases(clock);
    const losses: LeaseLostError[] = [];
    const takenAt = clock.monotonic();
    const answer = await store.take('job', 'me', 8_000);
    assert.ok(answer.kind === 'taken');
    const lease = new HeldLease({
      ...{ store, clock, takenAt, name: 'job', handler: 'Encode', fence: answer.fence },
      log: silentLogger,
      settings: { leaseMs: 8_000, renewMs: 2_000 },
      onLost: (error) => losses.push(error),
    });
    return { clock, store, lease, losses };
  }

  it('is renewed, and what is held with it, until it is done: then nobody has it', async () => {
    const { clock, store, lease, losses } = await held();
    const renewed: number[] = [];
    const end = lease.onRenewal(async (forMs) => renewed.push(forMs));
    await clock.advance(9_000);
    assert.deepEqual([lease.isHeld, renewed.length >= 3, losses], [true, true, []]);
    end();
    await lease.mustBeMine('the commit');
    await lease.finish();
    assert.equal(await store.look('job'), 'done');
    assert.deepEqual([lease.isHeld, lease.isLost, lease.isDone, clock.armed], [false, false, true, 0]);
  });

  it('is lost before the store gives it to another, and seen to be so before any timer has fired', async () => {
    const { clock, store, lease, losses } = await held();
    store.renew = () => Promise.reject(new Error('away'));
    await clock.advance(6_900);
    assert.equal(lease.isHeld, true);
    await clock.advance(1_000);
    assert.deepEqual([lease.isHeld, lease.isLost, losses.length], [false, true, 1]);
    assert.ok(typeof (await store.look('job')) === 'number', 'another has it already');
    assert.throws(() => lease.mustBeHeld('context.once()'), LeaseLostError);

    const still = await held();
    const [controller, watched] = [new AbortController(), new AbortController()];
    still.lease.onLost = (error) => {
      controller.abort(error);
      watched.abort(error);
    };
    watching(watched.signal, still.lease);
    // The process stands still: its clock goes on, and no timer fires.
    const { monotonic } = still.clock;
    still.clock.monotonic = () => monotonic.call(still.clock) + 60_000;
    assert.equal(controller.signal.aborted, false);
    assert.equal(watched.signal.aborted, true);
    assert.throws(() => watched.signal.throwIfAborted(), LeaseLostError);
    still.lease.abandon();
  });

  it('is not done if its store did not have it any more at its end: another run goes on', async () => {
    const { store, lease } = await held();
    store.finish = async () => false;
    await lease.finish();
    assert.deepEqual([lease.isDone, lease.isLost], [false, true]);
  });

  it('is lost at once when the store says that another has it', async () => {
    const { clock, store, lease, losses } = await held();
    store.renew = async () => false;
    await clock.advance(2_000);
    assert.deepEqual([lease.isLost, losses.length], [true, 1]);
  });
});

describe('the lease of a message', () => {
  /** Takes deliveries to a handler that has all its messages dead-lettered, and says what becomes of each. */
  function way() {
    const clock = new ManualClock();
    const leases = new MemoryLeases(clock);
    const its = handler('Encode', ['job']);
    const parts = {
      ...{ service: 'video', clock, leases, crashLimitOf: () => 20, took() {}, lost() {} },
      guarding: () => ({ what: 'a guard', run: async () => {} }),
    };
    const run = longStage(its, { leaseMs: 8_000, renewMs: 2_000 }, { longJobs: parts })(async () => DEAD);
    return async (delivery: TestDelivery) => {
      const work = workFor(its, delivery);
      const outcome = await run(new HandlerContext(work, its, { log: silentLogger } as never));
      await work.lease?.finish();
      return outcome.kind;
    };
  }

  const DEAD = { kind: 'dead-letter', reason: 'exhausted', error: new Error('failed') } as const;
  const first = new TestDelivery({ properties: { messageId: 'm', timestamp: 1_800_000_000 } });
  const again = (delivery: TestDelivery) => new TestDelivery({ ...delivery, redelivered: true });

  /** The message as it comes to its queue. */
  const sent = ({ properties: { headers = {}, ...properties } }: OutgoingMessage, exchange: string) =>
    new TestDelivery({ exchange, properties: { ...properties, headers: headers as Headers } });

  const letter = () => {
    const givenUp = { reason: DEAD.reason, error: DEAD.error, attempt: 1, exceptions: 1 };
    const times = { firstAttemptAt: 1_800_000_001_000, failedAt: 1_800_000_002_000 };
    return deadLetter(receive(first, names), { ...givenUp, ...times }, 30_000);
  };

  it('is another one for its replay, also for one that comes again before it has begun', async () => {
    const read = readLetter(sent(letter(), names.dead), names);
    const replays = [
      sent(toQueue(read, 'billing', 30_000), names.land),
      sent(republished(read, 30_000), 'hopline.events'),
    ];
    const moved = sent(letter(), '');
    for (const delivery of [...replays, moved]) {
      const handle = way();
      assert.equal(await handle(first), 'dead-letter');
      assert.equal(await handle(again(first)), 'skip', 'it has ended');
      assert.equal(await handle(again(delivery)), 'dead-letter', 'it was dropped');
      assert.equal(await handle(again(delivery)), 'skip', 'it has ended, too');
    }
  });

  it('is another one for what is published later under its id', async () => {
    const handle = way();
    assert.equal(await handle(first), 'dead-letter');
    const later = new TestDelivery({ properties: { messageId: 'm', timestamp: 1_800_000_060 } });
    assert.equal(await handle(again(later)), 'dead-letter', 'it was dropped');
  });
});

describe('handlers that take long', () => {
  const shared: Stores = { ...memoryStores(systemClock), isOfProcess: false };
  const described = (options: HandleOptions, bus: Partial<BusOptions> = {}) =>
    new Bus({ service: 'video', transport: rabbitmq({ url: 'amqp://localhost' }), ...bus })
      .handle('job', () => {}, { name: 'Encode', ...options })
      .describe();
  const queuesOf = (...given: Parameters<typeof described>) =>
    described(...given).plan.queues.map(({ name }) => name);

  it('have a queue of guards if they say so, or may keep a message for longer than the broker waits; others have none', () => {
    assert.ok(queuesOf({ long: true }, { stores: shared }).includes('video.guards'));
    assert.ok(queuesOf({ timeout: '1h' }, { stores: shared }).includes('video.guards'));
    assert.ok(
      queuesOf({ timeout: '9s' }, { stores: shared, consumerTimeout: '10s' }).includes('video.guards'),
    );
    for (const [options, bus] of [
      [{}, { stores: shared }],
      [{ timeout: '1h' }, {}],
      [{ timeout: '1h' }, { stores: shared, consumerTimeout: '2h' }],
    ] as const)
      assert.ok(!queuesOf(options, bus).includes('video.guards'));
  });

  it('are refused where nobody could run their message beside them, or where nothing can be held', () => {
    const problems = (options: HandleOptions, bus?: Partial<BusOptions>) =>
      problemsOf(() => described(options, bus)).join();
    assert.match(
      problems({ long: true }),
      /long only with stores that have leases and that all processes share/,
    );
    assert.equal(problems({ long: true }, { transport: memory() }), '');
    assert.match(problems({ long: true, each: 'process' }, { stores: shared }), /no place beside each/);
    assert.match(
      problems({ long: { lease: '10s', renew: '6s' } }, { stores: shared }),
      /half of long.lease at most, 5s/,
    );
    assert.match(
      problems({ long: { lease: '10ms' } }, { stores: shared }),
      /long.lease to be a duration from 1 s/,
    );
    const ask = defineRequest('ask');
    const responder = new Bus({
      service: 'video',
      transport: rabbitmq({ url: 'amqp://localhost' }),
      stores: shared,
    }).reply(ask, () => 1, {
      long: true,
    } as object);
    assert.match(problemsOf(() => responder.describe()).join(), /can't have long/);
  });

  it('have the claims of their messages for as long as their lease, renewed with it', async () => {
    const clock = new ManualClock();
    const stores = memoryStores(clock);
    const { idempotency } = stores;
    const claimed: number[] = [];
    const claims: Stores['idempotency'] = {
      claim: (key, owner, forMs) => {
        claimed.push(forMs);
        return idempotency.claim(key, owner, forMs);
      },
      finish: (...given) => idempotency.finish(...given),
      release: (...given) => idempotency.release(...given),
    };
    const transport = memory({ clock });
    const bus = new Bus({ service: 'video', transport, stores: { ...stores, idempotency: claims } });
    const ends = deferred();
    const options = {
      name: 'Encode',
      timeout: '1h',
      long: { lease: '8s', renew: '2s' },
      idempotent: {},
    } as const;
    bus.handle('job', () => ends.promise, options);
    await bus.start();
    await bus.publish('job', 1);
    await clock.advance(7_000);
    assert.ok(claimed.length >= 3, String(claimed));
    assert.deepEqual(new Set(claimed), new Set([8_000]));
    ends.resolve();
    await clock.settle();
    const before = claimed.length;
    await clock.advance(7_000);
    assert.equal(claimed.length, before);
    await bus.stop();
    assert.equal(clock.armed, 0);
  });
});
