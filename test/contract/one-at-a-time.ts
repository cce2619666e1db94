import assert from 'node:assert/strict';
import type { Bus, ConcurrencyOptions } from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { pause } from '../../src/util/clock.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, type Call, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

interface Payment {
  readonly account: string;
  readonly number: number;
}

const by = ({ account }: Payment) => account;
const isFirst = ({ payload }: Call) => by(payload as Payment) === 'a' && (payload as Payment).number === 0;

/** What runs of each account at once, in all processes of a test. */
class Accounts {
  readonly most = new Map<string, number>();
  mostTogether = 0;
  readonly handled: Payment[] = [];
  private readonly running: string[] = [];

  enter(account: string): void {
    this.running.push(account);
    this.mostTogether = Math.max(this.mostTogether, this.running.length);
    const now = this.running.filter((each) => each === account).length;
    this.most.set(account, Math.max(this.most.get(account) ?? 0, now));
  }

  leave(payment: Payment): void {
    this.running.splice(this.running.indexOf(payment.account), 1);
    this.handled.push(payment);
  }
}

/** Processes of one service that share their stores. */
function processes(
  fx: BusFixture,
  count: number,
  handle: (call: Call) => unknown,
  concurrency: ConcurrencyOptions,
) {
  const stores = memoryStores(fx.harness.clock);
  const seen = fx.recorder(handle);
  const buses = numbers(count).map(() =>
    fx
      .bus('payer', { stores, concurrency: 4 })
      .handle('pay', seen.handle, { concurrency, retry: { tries: 1 } }),
  );
  return { buses, seen };
}

async function publishPayments(bus: Bus, count: number, accounts: readonly string[]): Promise<void> {
  const payments = numbers(count).map((number) => ({
    account: accounts[Number(number) % accounts.length] as string,
    number: Number(number),
  }));
  await Promise.all(payments.map((payment) => bus.publish('pay', payment)));
}

export const oneAtATime: Theme = (test) => {
  test('of each key one message runs at a time in all processes, others beside it, and none is tried twice', async (fx) => {
    const accounts = new Accounts();
    const { buses, seen } = processes(
      fx,
      2,
      async ({ payload }) => {
        const payment = payload as Payment;
        accounts.enter(payment.account);
        await pause(fx.harness.clock, 5);
        accounts.leave(payment);
      },
      { limit: 1, by },
    );
    await Promise.all(buses.map((bus) => bus.start()));
    await publishPayments(buses[0] as Bus, 60, ['a', 'b', 'a', 'c', 'a', 'd']);
    await fx.eventually(() => assert.equal(accounts.handled.length, 60), { timeout: 30_000 });
    assert.deepEqual([...accounts.most.values()], [1, 1, 1, 1]);
    assert.ok(accounts.mostTogether > 1, 'one at a time of all');
    assert.equal(new Set(accounts.handled.map(({ number }) => number)).size, 60);
    assert.deepEqual(new Set(seen.attempts), new Set([1]));
  });

  test('without a key the limit is that of the handler, in all processes together', async (fx) => {
    const accounts = new Accounts();
    const { buses } = processes(
      fx,
      2,
      async ({ payload }) => {
        accounts.enter('any');
        await pause(fx.harness.clock, 5);
        accounts.leave({ ...(payload as Payment), account: 'any' });
      },
      { limit: 3 },
    );
    const released = buses.map((bus) => watch(bus, 'message.released'));
    await Promise.all(buses.map((bus) => bus.start()));
    await publishPayments(buses[0] as Bus, 40, ['a']);
    await fx.eventually(() => assert.equal(accounts.handled.length, 40), { timeout: 30_000 });
    assert.equal(accounts.mostTogether, 3);
    // Nothing else is in the queue: what waits here keeps nobody out.
    assert.equal(released.flat().length, 0);
  });

  test('what waits for its key holds neither slot nor window, is seen, and goes in the order of its age', async (fx) => {
    const first = deferred();
    const { buses, seen } = processes(fx, 1, (call) => (isFirst(call) ? first.promise : undefined), {
      limit: 1,
      by,
    });
    const [bus = assert.fail()] = buses;
    await bus.start();
    await publishPayments(bus, 10, ['a']);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await publishPayments(bus, 10, ['b', 'c']);
    await fx.eventually(() => assert.equal(seen.calls.length, 11));
    await fx.eventually(() => {
      const [group] = bus.status().slotGroups;
      assert.deepEqual([group?.running, group?.waiting], [1, 9]);
    });
    first.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 20));
    const ofFirst = seen.payloads.filter((payload) => by(payload as Payment) === 'a');
    assert.deepEqual(
      ofFirst.map((payload) => (payload as Payment).number),
      numbers(10).map(Number),
    );
  });

  test('more of one key than may wait here comes back later, and keeps nothing else out', async (fx) => {
    const first = deferred();
    const { buses, seen } = processes(fx, 1, (call) => (isFirst(call) ? first.promise : undefined), {
      limit: 1,
      by,
    });
    const [bus = assert.fail()] = buses;
    const released = watch(bus, 'message.released');
    await bus.start();
    await publishPayments(bus, 60, ['a']);
    await publishPayments(bus, 2, ['b', 'c']);
    await fx.eventually(() => assert.equal(seen.calls.length, 3), { timeout: 30_000 });
    assert.ok(released.length > 30, `${released.length} came back`);
    first.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 62), { timeout: 60_000 });
    assert.deepEqual(new Set(seen.attempts), new Set([1]));
  });

  test('a process that stops gives back what waits, and what it holds: another goes on at once', async (fx) => {
    const first = deferred();
    const { buses, seen } = processes(fx, 2, (call) => (isFirst(call) ? first.promise : undefined), {
      limit: 1,
      by,
    });
    const [leaving = assert.fail(), staying = assert.fail()] = buses;
    await leaving.start();
    await publishPayments(leaving, 5, ['a']);
    await fx.eventually(() => assert.equal(leaving.status().slotGroups[0]?.waiting, 4));
    const stopped = leaving.stop();
    await staying.start();
    first.resolve();
    await fx.outcome(stopped);
    await fx.eventually(() => assert.equal(seen.calls.length, 5), { timeout: 5_000 });
    assert.deepEqual(new Set(seen.attempts), new Set([1]));
  });

  test('with skip a message is dropped while another of its key runs, but not one that has begun before', async (fx) => {
    const first = deferred();
    const seen = fx.recorder(({ payload, attempt }) => {
      if ((payload as Payment).number === 0) return first.promise;
      if (attempt === 1) throw new Error('again');
      return undefined;
    });
    const bus = fx.bus('payer').handle('pay', seen.handle, {
      concurrency: { limit: 1, by, skip: true },
      retry: { tries: 2, backoff: '100ms' },
    });
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    await bus.publish('pay', { account: 'b', number: 1 });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await bus.publish('pay', { account: 'b', number: 0 });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await bus.publish('pay', { account: 'b', number: 2 });
    await fx.eventually(() => assert.equal(skipped.length, 1));
    assert.equal(seen.calls.length, 2);
    first.resolve();
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 1, 2]));
  });

  test('code that outlives its timeout and its grace keeps its permit until it returns', async (fx) => {
    const first = deferred();
    const seen = fx.recorder((call) => (isFirst(call) ? first.promise : undefined));
    const bus = fx.bus('payer', { timeoutGrace: '50ms' }).handle('pay', seen.handle, {
      concurrency: { limit: 1, by },
      timeout: '100ms',
      retry: { tries: 1 },
    });
    const failed = watch(bus, 'message.deadLettered');
    await bus.start();
    await publishPayments(bus, 2, ['a']);
    await fx.eventually(() => assert.equal(failed.length, 1));
    await bus.publish('pay', { account: 'b', number: 3 });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(
      seen.payloads.map((payload) => (payload as Payment).number),
      [0, 3],
    );
    first.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    await fx.deadLetter(fx.name('payer'));
  });

  test('a key that cannot be told is a failed attempt', async (fx) => {
    const { buses, seen } = processes(fx, 1, () => {}, { limit: 1, by });
    await buses[0]?.start();
    await buses[0]?.publish('pay', { account: '' });
    await fx.deadLetter(fx.name('payer'));
    assert.equal(seen.calls.length, 0);
  });
};
