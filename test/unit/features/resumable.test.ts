import assert from 'node:assert/strict';
import { HandlerContext } from '../../../src/consume/attempt/context.js';
import { HandlerState } from '../../../src/features/resumable/state.js';
import { ChannelLostError, LeaseLostError, type MessageContext } from '../../../src/index.js';
import type { AttemptLease } from '../../../src/pipeline/lease.js';
import { MemoryCheckpoints } from '../../../src/stores/memory/checkpoints.js';
import { memoryStores } from '../../../src/stores/memory/index.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';
import { deferred } from '../../../src/util/deferred.js';
import { BusBench, heard } from '../bus-bench.js';
import { handler, TestDelivery, workFor } from '../consume/fixtures.js';
import { problemsOf } from '../option-problems.js';

/** Attempts at one message, each with a state of its own, as two processes have them. */
class Attempts {
  readonly clock = new ManualClock();
  readonly store = new MemoryCheckpoints(this.clock);
  private readonly its = handler('Job', ['job']);

  attempt(
    fence?: number,
    given: ConstructorParameters<typeof TestDelivery>[0] = {},
  ): { state: HandlerState; delivery: TestDelivery; lease: { isHeld: boolean; isLost: boolean } } {
    const delivery = new TestDelivery({
      ...given,
      properties: { messageId: 'm', timestamp: 1_800_000_000, ...given.properties },
    });
    const work = workFor(this.its, delivery);
    const lease = { isHeld: true, isLost: false };
    const mustBeHeld = (call: string) => {
      if (!lease.isHeld) throw new LeaseLostError(call);
    };
    if (fence !== undefined)
      work.lease = Object.assign(lease, { fence, mustBeHeld }) as unknown as AttemptLease;
    const context = new HandlerContext(work, this.its, {} as never);
    const options = { service: 'shop', encryption: undefined };
    return { state: new HandlerState(this.store, 3_600_000, context, options), delivery, lease };
  }

  async found(): Promise<unknown> {
    const { state } = this.attempt();
    await state.load();
    return state.value;
  }
}

describe('the state of a resumable handler', () => {
  let bench: BusBench;
  beforeEach(() => {
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  it('is that of the last lease: what an earlier holder keeps is refused, also if it does not know yet', async () => {
    const attempts = new Attempts();
    const [first, second] = [attempts.attempt(7), attempts.attempt(8)];
    await first.state.save('first', 'checkpoint');
    await second.state.save('second', 'checkpoint');
    await assert.rejects(
      first.state.save('late', 'yield'),
      (error) => error instanceof LeaseLostError && /^context.yield\(\) was refused/.test(error.message),
    );
    assert.equal(first.state.value, 'first', 'what it has kept itself');
    second.lease.isHeld = false;
    await assert.rejects(second.state.save('over', 'checkpoint'), LeaseLostError);
    assert.equal(await attempts.found(), 'second');
  });

  it('of a message that has ended is kept for the one whose ack was not heard, and for some minutes alone', async () => {
    const attempts = new Attempts();
    const { state } = attempts.attempt();
    await state.save('half', 'checkpoint');
    await state.forget();
    const found = async (given: ConstructorParameters<typeof TestDelivery>[0]) => {
      const attempt = attempts.attempt(undefined, given);
      await attempt.state.load();
      return attempt.state.value;
    };
    assert.equal(await found({ redelivered: true }), 'half');
    assert.equal(await found({}), undefined, 'another message with its id');
    const later = { messageId: 'm', timestamp: 1_800_000_060 };
    assert.equal(await found({ redelivered: true, properties: later }), undefined, 'another one');
    await attempts.clock.advance(11 * 60_000);
    assert.equal(await found({ redelivered: true }), undefined);
  });

  it('is left to another run that has gone on with it, and to the next one if its own lease was not there in the end', async () => {
    const attempts = new Attempts();
    const [first, second] = [attempts.attempt(7), attempts.attempt(8)];
    await first.state.save('first', 'checkpoint');
    await second.state.load();
    first.lease.isLost = true;
    await first.state.forget();
    assert.equal(await attempts.found(), 'first');
    await second.state.save('second', 'checkpoint');
    first.lease.isLost = false;
    await first.state.forget();
    assert.equal(await attempts.found(), 'second');
  });

  it('is kept under the lease that goes on with it, though its fence is lower: a store that has failed over has another clock', async () => {
    const attempts = new Attempts();
    const first = attempts.attempt(7_000);
    await first.state.save('first', 'checkpoint');
    const second = attempts.attempt(6_000);
    await second.state.load();
    await second.state.save('second', 'checkpoint');
    assert.equal(await attempts.found(), 'second');
    await assert.rejects(first.state.save('late', 'checkpoint'), LeaseLostError);
  });

  it('is kept by a handler that has no lease any more, though its state is that of one', async () => {
    const attempts = new Attempts();
    await attempts.attempt(7).state.save('under a lease', 'checkpoint');
    await attempts.attempt().state.save('without', 'checkpoint');
    assert.equal(await attempts.found(), 'without');
  });

  it('is not kept of a delivery whose channel is lost, unless a lease is held: the broker gives it to another', async () => {
    const attempts = new Attempts();
    const [plain, leased] = [attempts.attempt(), attempts.attempt(7)];
    plain.delivery.lost = true;
    leased.delivery.lost = true;
    await assert.rejects(plain.state.save('lost', 'checkpoint'), ChannelLostError);
    assert.equal(await attempts.found(), undefined);
    await leased.state.save('held', 'checkpoint');
    assert.equal(await attempts.found(), 'held');
  });

  it('that can not be loaded lets no handler begin: its message comes back later, with no try used', async () => {
    const stores = memoryStores(bench.clock);
    let isAway = false;
    const checkpoints = Object.assign(Object.create(stores.checkpoints as object), {
      load: (key: string) => (isAway ? Promise.reject(new Error('away')) : stores.checkpoints?.load(key)),
    });
    const bus = bench.bus({ stores: { ...stores, checkpoints } });
    const released = heard(bus, 'message.released');
    const found: unknown[] = [];
    const handle = async (_payload: unknown, context: MessageContext) => {
      found.push([context.attempt, context.state]);
      if (context.state) return;
      isAway = true;
      await context.yield(1);
    };
    bus.handle('a', handle, { resumable: true, retry: { tries: 1 } });
    await bus.start();
    await bus.publish('a', {});
    await bench.clock.advance(1_000);
    assert.deepEqual(
      released.map(({ delayMs }) => delayMs),
      [100, 5_000],
    );
    isAway = false;
    await bench.clock.advance(5_000);
    assert.deepEqual(found, [
      [1, undefined],
      [1, 1],
    ]);
  });

  it('that is loaded while the bus begins to stop lets no handler begin, whose signal would have fired before', async () => {
    const stores = memoryStores(bench.clock);
    const answer = deferred<undefined>();
    const checkpoints = Object.assign(Object.create(stores.checkpoints as object), {
      load: () => answer.promise,
    });
    const bus = bench.bus({ stores: { ...stores, checkpoints } });
    const calls: unknown[] = [];
    bus.handle('a', (payload) => void calls.push(payload), { resumable: true });
    await bus.start();
    await bus.publish('a', {}, { delay: '100ms' });
    await bench.clock.advance(200);
    const stopping = bus.stop();
    answer.resolve(undefined);
    await bench.clock.settle();
    await stopping;
    await bench.clock.advance(1_000);
    assert.deepEqual(calls, []);
    assert.equal((await bench.taken('svc')).length, 1);
  });

  it('is refused where what the attempt does is taken back, or is not that of one message', () => {
    const stores = { ...memoryStores(bench.clock), inbox: { begin: () => Promise.reject(new Error()) } };
    const problems = (options: object, its: object = stores) =>
      problemsOf(() => {
        bench
          .bus({ stores: its as never })
          .handle('a', () => {}, { resumable: true, ...options })
          .describe();
      });
    assert.match(String(problems({ inbox: {} })), /either resumable or inbox/);
    assert.match(String(problems({ publishes: 'after' })), /either resumable or publishes: 'after'/);
    assert.match(String(problems({ each: 'process', name: 'x' })), /either resumable or each: 'process'/);
    assert.match(String(problems({}, { ...stores, checkpoints: undefined })), /stores need checkpoints/);
    assert.match(String(problems({ resumable: false })), /expected resumable to be true or an object/);
    assert.match(String(problems({ resumable: { keep: '0s' } })), /expected resumable.keep to be a duration/);
    assert.deepEqual(problems({ resumable: { keep: '30d' } }), []);
  });
});
