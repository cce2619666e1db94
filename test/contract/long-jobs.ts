import assert from 'node:assert/strict';
import type { HandlerContext } from '../../src/consume/attempt/context.js';
import { LeaseLostError, type MessageContext, NotUniqueError, type Stores } from '../../src/index.js';
import type { LeaseStore } from '../../src/stores/leases.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, ours, type Recorder, watch } from '../support/bus-fixture.js';
import type { ForeignDelivery } from '../support/transport-harness.js';
import type { Theme } from './theme.js';

export const longJobs: Theme = (test) => {
  test('a job that is delivered again while it runs goes on alone, and a guard goes round until it is done', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(() => gate.promise);
    const bus = worker(fx, seen, sharedStores(fx));
    const [guarded, succeeded] = [watch(bus, 'message.guarded'), watch(bus, 'handler.succeeded')];
    await bus.start();
    const send = () => bus.send(fx.name('video'), 1, { unique: { key: 'video 1', for: '1h' } });
    await send();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    takeBack(seen.at(0).context);
    await fx.eventually(() => assert.equal(guarded.length, 1));
    await assert.rejects(send(), NotUniqueError);
    gate.resolve();
    await fx.eventually(() => assert.equal(succeeded.length, 1));
    await fx.eventually(() => assert.ok(fx.trace.deliveriesOf(fx.name('video.guards')) >= 1));
    await fx.stop(bus);
    assert.equal(seen.calls.length, 1);
    await nothingLeft(fx);
  });

  test('a job whose process has gone away runs again when its lease is over, and is given up after too many such ends', async (fx) => {
    const stores = sharedStores(fx);
    const never = deferred();
    const seen = fx.recorder(() => never.promise);
    const next = () => worker(fx, seen, stores, { queue: { deliveryLimit: 1 } });
    for (const run of [1, 2]) {
      const bus = next();
      await bus.start();
      if (run === 1) await bus.send(fx.name('video'), 1, { messageId: 'video 1' });
      await fx.eventually(() => assert.equal(seen.calls.length, run), { timeout: 20_000 });
      await fx.outcome(bus.stop({ deadline: '100ms' }).catch(() => {}));
    }
    const [first, second] = [seen.at(0), seen.at(1)];
    assert.deepEqual([second.context.redelivered, second.attempt], [true, 1]);
    assert.ok(second.at - first.at >= LEASE_MS);
    await next().start();
    const letter = await fx.deadLetter(fx.name('video'), 20_000);
    const { crashes, reason } = ours(letter);
    assert.deepEqual([crashes, reason, seen.calls.length], [2, 'crashed', 2]);
    never.resolve();
  });

  test('a job that stops with its bus gives its lease back: the next process has it at once', async (fx) => {
    const stores = sharedStores(fx);
    const first = fx.recorder(
      ({ context: { signal } }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const bus = worker(fx, first, stores);
    await bus.start();
    await bus.send(fx.name('video'), 1);
    await fx.eventually(() => assert.equal(first.calls.length, 1));
    await fx.outcome(bus.stop({ deadline: '1s' }));
    const second = fx.recorder();
    const next = worker(fx, second, stores);
    const guarded = watch(next, 'message.guarded');
    await next.start();
    await fx.eventually(() => assert.equal(second.calls.length, 1));
    assert.deepEqual([guarded, second.attempts], [[], [1]]);
  });

  test('a job that was given back while its guard goes round comes home, and that is no crash', async (fx) => {
    const stores = sharedStores(fx);
    const first = fx.recorder(
      ({ context: { signal } }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    );
    const bus = worker(fx, first, stores);
    const guarded = watch(bus, 'message.guarded');
    await bus.start();
    await bus.send(fx.name('video'), 1);
    await fx.eventually(() => assert.equal(first.calls.length, 1));
    takeBack(first.at(0).context);
    await fx.eventually(() => assert.equal(guarded.length, 1));
    await fx.outcome(bus.stop({ deadline: '1s' }));
    const second = fx.recorder();
    await worker(fx, second, stores).start();
    await fx.eventually(() => assert.equal(second.calls.length, 1));
    const { received } = (second.at(0).context as HandlerContext).work;
    assert.deepEqual([received.crashes, received.redelivered], [0, true]);
  });

  test('a job whose lease can not be renewed sees its signal before the lease ends; what it does then is refused, and it runs again', async (fx) => {
    const stores = sharedStores(fx);
    const store = new AwayLeases(stores.leases as LeaseStore);
    const refused: unknown[] = [];
    const seen = fx.recorder(async ({ context }) => {
      if (seen.calls.length > 1) return;
      store.isAway = true;
      await aborted(context.signal);
      store.isAway = false;
      for (const call of [
        () => context.publish('encoded', 1),
        () => context.once('charge', () => refused.push('it was done')),
      ])
        await call().catch((error) => refused.push(error));
      refused.push(context.signal.reason);
    });
    const told = fx.recorder();
    const bus = worker(fx, seen, { ...stores, leases: store }).handle('encoded', told.handle, {
      queue: fx.name('told'),
    });
    const lost = watch(bus, 'handler.leaseLost');
    await bus.start();
    await bus.send(fx.name('video'), 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 2), { timeout: 20_000 });
    assert.ok(
      refused.every((each) => each instanceof LeaseLostError),
      String(refused),
    );
    assert.equal(refused.length, 3);
    assert.deepEqual([lost.length, told.calls.length, seen.attempts], [1, 0, [1, 1]]);
  });

  test('what is delivered again while the store is away runs nowhere: it goes round until that can be asked', async (fx) => {
    const gate = deferred();
    const stores = sharedStores(fx);
    const store = new AwayLeases(stores.leases as LeaseStore);
    const seen = fx.recorder(() => gate.promise);
    const bus = worker(fx, seen, { ...stores, leases: store });
    const guarded = watch(bus, 'message.guarded');
    await bus.start();
    await bus.send(fx.name('video'), 1, { messageId: 'video 1' });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    store.isAway = true;
    takeBack(seen.at(0).context);
    await fx.eventually(() => assert.equal(guarded.length, 1), { interval: 20 });
    store.isAway = false;
    await fx.eventually(() => assert.ok(fx.trace.deliveriesOf(fx.name('video.guards')) >= 1));
    assert.equal(seen.at(0).context.signal.aborted, false);
    gate.resolve();
    await fx.eventually(() => assert.ok(fx.trace.deliveriesOf(fx.name('video.guards')) >= 2));
    assert.equal(seen.calls.length, 1);
  });

  test('another message with the id of one that is done, or runs, is another job', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => payload === 2 && gate.promise);
    const bus = worker(fx, seen, sharedStores(fx));
    await bus.start();
    const send = (payload: number) => bus.send(fx.name('video'), payload, { messageId: 'nightly' });
    await send(1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await send(2);
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await send(3);
    gate.resolve();
    await fx.eventually(() => assert.deepEqual(seen.payloads.toSorted(), [1, 2, 3]));
  });

  test('a job that was moved has a lease for each sending: the one that counts runs, also if it comes again', async (fx) => {
    const stores = sharedStores(fx);
    const seen = fx.recorder();
    const bus = worker(fx, seen, stores);
    const skipped = watch(bus, 'message.skipped');
    await bus.start();
    await bus.send(fx.name('video'), 1, { name: 'nightly', delay: '200ms' });
    await bus.reschedule('nightly', '1s');
    await fx.eventually(() => assert.equal(skipped.length, 1));
    await fx.stop(bus);
    const port = await fx.port();
    const held = await port.consume('video', () => {});
    await fx.eventually(() => assert.equal(held.bodies.length, 1));
    await port.close();
    const next = worker(fx, seen, stores);
    await next.start();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.equal(seen.at(0).context.redelivered, true);
  });

  test('what is no guard, and lies in the queue of guards, is moved to what is lost, with all that it has', async (fx) => {
    const seen = fx.recorder();
    await worker(fx, seen, sharedStores(fx)).start();
    fx.expectError(/^a message in the queue of guards is none/);
    const messageId = fx.name('stray');
    const routingKey = fx.name('video.guards');
    await fx.foreign.publish({ exchange: '', routingKey, body: '"theirs"', properties: { messageId } });
    const lost: ForeignDelivery[] = [];
    await fx.eventually(async () => {
      const taken = await fx.foreign.take(fx.names.delayLost);
      lost.push(...taken.filter(({ properties }) => properties.messageId === messageId));
      assert.equal(lost.length, 1);
    });
    assert.deepEqual([String(lost[0]?.body), seen.calls.length], ['"theirs"', 0]);
    await nothingLeft(fx);
  });

  test('attempts that follow each other at once run under one lease, and a job without an id gets one first', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('at once again');
      return gate.promise;
    });
    const bus = worker(fx, seen, sharedStores(fx), { retry: { tries: 2, backoff: 0 } });
    const [guarded, succeeded] = [watch(bus, 'message.guarded'), watch(bus, 'handler.succeeded')];
    await bus.start();
    await fx.foreign.publish({
      exchange: fx.events,
      routingKey: 'made',
      body: '1',
      properties: { contentType: 'application/json' },
    });
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2]));
    assert.notEqual(seen.at(0).context.messageId, undefined);
    takeBack(seen.at(1).context);
    await fx.eventually(() => assert.equal(guarded.length, 1));
    gate.resolve();
    await fx.eventually(() => assert.equal(succeeded.length, 1));
    await fx.eventually(() => assert.ok(fx.trace.deliveriesOf(fx.name('video.guards')) >= 1));
    assert.equal(seen.calls.length, 2);
  });
};

const LEASE_MS = 2_000;

const sharedStores = (fx: BusFixture): Stores => ({ ...memoryStores(fx.harness.clock), isOfProcess: false });

function worker(fx: BusFixture, seen: Recorder, stores: Stores, options: object = {}) {
  return fx.bus('video', { stores }).handle(['made', fx.name('video')], seen.handle, {
    name: 'Encode',
    timeout: '20m',
    long: { lease: LEASE_MS },
    ...options,
  });
}

/** The broker takes a message back that it has waited for too long, and delivers it again. */
function takeBack(context: MessageContext): void {
  (context as HandlerContext).work.received.delivery.requeue();
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

async function nothingLeft(fx: BusFixture): Promise<void> {
  for (const queue of ['video', 'video.guards']) assert.deepEqual(await fx.foreign.take(fx.name(queue)), []);
}

/** Leases of a store that can't be reached for a while. */
class AwayLeases implements LeaseStore {
  isAway = false;

  constructor(private readonly inner: LeaseStore) {}

  take: LeaseStore['take'] = (...given) => this.through(() => this.inner.take(...given));
  look: LeaseStore['look'] = (...given) => this.through(() => this.inner.look(...given));
  renew: LeaseStore['renew'] = (...given) => this.through(() => this.inner.renew(...given));
  finish: LeaseStore['finish'] = (...given) => this.through(() => this.inner.finish(...given));
  release: LeaseStore['release'] = (...given) => this.through(() => this.inner.release(...given));

  private async through<T>(call: () => Promise<T>): Promise<T> {
    if (this.isAway) throw new Error('the store is away');
    return call();
  }
}
