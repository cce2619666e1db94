import assert from 'node:assert/strict';
import { HandlerContext } from '../../../src/consume/attempt/context.js';
import { idempotentStage } from '../../../src/features/idempotent/stage.js';
import { HEADER } from '../../../src/message/headers.js';
import { encodeMark } from '../../../src/message/wire/batch-header.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import type { Delivery } from '../../../src/transport/transport.js';
import { deferred } from '../../../src/util/deferred.js';
import { Trace, TracedTransport } from '../../support/traced-transport.js';
import { BusBench, heard } from '../bus-bench.js';
import { handler, TestDelivery, workFor } from './fixtures.js';

describe('what is asked before a handler', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  it('is asked of one rate limit, whether a message carries a mark or not', async () => {
    const stores = memoryStores(bench.clock);
    let asked = 0;
    const rateLimits = {
      take: (name: string, seconds: number) => {
        asked += 1;
        return stores.rateLimits.take(name, seconds);
      },
      hold: async () => {},
    };
    const bus = bench.bus({ stores: { ...stores, rateLimits } });
    const released = heard(bus, 'message.released');
    bus.handle('a', () => {}, { rateLimit: { allow: 1, every: '10s' } });
    await bus.start();
    const marked = { headers: { [HEADER.batch]: encodeMark({ id: 'b', number: 1 }) } };
    for (const properties of [{}, marked, {}]) {
      await bench.publishRaw('hopline.events/a', '{}', properties);
      await bench.clock.settle();
    }
    assert.equal(asked, 1, 'a permit that is known to be taken was asked for');
    assert.deepEqual(
      released.map(({ delayMs }) => delayMs),
      [10_000, 20_000],
      'one permit was promised to two messages',
    );
  });

  it('is told of a refusal before the message is acked, again and again while its store is away, and for a minute at most', async () => {
    const stores = memoryStores(bench.clock);
    let told = 0;
    const rateLimits = {
      take: (name: string, seconds: number) => stores.rateLimits.take(name, seconds),
      hold: async () => {
        told += 1;
        throw new Error('the store is away');
      },
    };
    const bus = bench.bus({ stores: { ...stores, rateLimits } });
    const released = heard(bus, 'message.released');
    const calls: number[] = [];
    bus.handle(
      'a',
      (payload: number, context) => {
        calls.push(payload);
        if (calls.length === 1) context.limited('10m');
      },
      { rateLimit: { allow: 5, every: '1s' } },
    );
    await bus.start();
    await bus.publish('a', 1);
    await bench.clock.advance(50_000);
    assert.ok(told > 2, `${told}`);
    assert.deepEqual(released, [], 'it was acked while others could still be told');
    await bench.clock.advance(20_000);
    assert.deepEqual(
      released.map(({ delayMs }) => delayMs),
      [600_000],
    );
    // This process waits all the same, and asks nobody.
    await bus.publish('a', 2);
    await bench.clock.settle();
    assert.deepEqual(calls, [1]);
    await bench.clock.advance(700_000);
    assert.deepEqual(calls.toSorted(), [1, 1, 2]);
  });

  it('and is answered when the channel is gone lets nothing begin: nothing would tell a handler to stop', async () => {
    const trace = new Trace();
    const deliveries: Delivery[] = [];
    trace.onDelivery = (delivery) => deliveries.push(delivery);
    const answer = deferred<number>();
    const bus = bench.bus({
      transport: new TracedTransport(bench.transport, trace),
      stores: {
        ...memoryStores(bench.clock),
        rateLimits: { take: () => answer.promise, hold: async () => {} },
      },
    });
    const calls: unknown[] = [];
    const begun = heard(bus, 'handler.started');
    bus.handle('a', (payload) => void calls.push(payload), { rateLimit: { allow: 1, every: '10s' } });
    await bus.start();
    await bus.publish('a', {});
    await bench.clock.settle();
    for (const delivery of deliveries) (delivery as unknown as { lose(): void }).lose();
    answer.resolve(0);
    await bench.clock.settle();
    assert.deepEqual([deliveries.length, begun.length, calls.length], [1, 0, 0]);
  });

  it('may throw in place of rejecting: a store of claims is asked again later', async () => {
    const stores = memoryStores(bench.clock);
    const idempotency = Object.assign(Object.create(stores.idempotency), {
      claim: () => {
        throw new Error('the store is away');
      },
    });
    const bus = bench.bus({ stores: { ...stores, idempotency } });
    const [released, letters] = [heard(bus, 'message.released'), heard(bus, 'message.deadLettered')];
    bus.handle('a', () => {}, { idempotent: {} });
    await bus.start();
    await bus.publish('a', {});
    await bench.clock.settle();
    assert.deepEqual([released.length, letters.map(({ reason }) => reason)], [1, []]);
  });

  it('is asked anew before each attempt that follows at once, and nothing of the last one is left', async () => {
    const stores = memoryStores(bench.clock);
    const told: string[] = [];
    const idempotency = Object.assign(Object.create(stores.idempotency), {
      claim: (...given: Parameters<typeof stores.idempotency.claim>) => {
        told.push('claim');
        return stores.idempotency.claim(...given);
      },
      release: (...given: Parameters<typeof stores.idempotency.release>) => {
        told.push('release');
        return stores.idempotency.release(...given);
      },
      finish: (...given: Parameters<typeof stores.idempotency.finish>) => {
        told.push('finish');
        return stores.idempotency.finish(...given);
      },
    });
    const bus = bench.bus({ stores: { ...stores, idempotency } });
    const retried = heard(bus, 'message.retried');
    const handled: unknown[] = [];
    bus.handle(
      'a',
      (payload, { attempt, step }) => {
        handled.push([attempt, { ...(payload as object) }]);
        (payload as { n: number }).n += 1;
        if (attempt < 3) {
          step?.append({ key: 'a', payload: { n: 100 } });
          throw new Error('failed');
        }
        step?.pass(attempt);
      },
      { idempotent: {}, retry: { tries: 3, backoff: 0 }, name: 'First' },
    );
    bus.handle('b', (_payload, { step }) => void handled.push([step?.number, step?.result, step?.rest]), {
      name: 'Second',
    });
    await bus.start();
    await bus
      .chain([
        { key: 'a', payload: { n: 1 } },
        { key: 'b', payload: {} },
      ])
      .dispatch();
    await bench.clock.settle();
    await bench.clock.settle();
    assert.deepEqual(handled, [
      [1, { n: 1 }],
      [2, { n: 1 }],
      [3, { n: 1 }],
      [2, 3, []],
    ]);
    assert.deepEqual(told, ['claim', 'release', 'claim', 'release', 'claim', 'finish']);
    assert.deepEqual(
      retried.map(({ attempt, delayMs }) => [attempt, delayMs]),
      [
        [1, 0],
        [2, 0],
      ],
    );
  });

  it('gives a claim back though what comes after it has broken off', async () => {
    const { idempotency } = memoryStores(bench.clock);
    const its = handler('Work', ['a']);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const failed = () => assert.fail('its key can be told');
    const broken = new Error('a bug');
    const settings = { by: () => 'key', keepMs: 1_000 };
    const way = idempotentStage(its, settings, {
      service: 's',
      stores: { idempotency },
      timeoutGraceMs: 0,
      failed,
    })(() => Promise.reject(broken));
    const context = () => new HandlerContext(workFor(its, new TestDelivery()), its, { log } as never, {});
    for (const _again of [1, 2])
      await assert.rejects(async () => way(context()), broken, 'its claim was still held');
  });
});
