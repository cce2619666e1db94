import assert from 'node:assert/strict';
import type { Bus } from '../../src/index.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** What the processes of a service have seen, together. */
class Seen {
  readonly done: string[] = [];
  atOnce = 0;
  mostAtOnce = 0;

  readonly handle = async (payload: string) => {
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.atOnce -= 1;
    this.done.push(payload);
  };
}

async function worker(fx: BusFixture, type: 'classic' | 'quorum', seen: Seen, concurrency = 1): Promise<Bus> {
  const queue = { name: fx.name('q'), type, concurrency, prefetch: 10, singleActiveConsumer: true };
  const bus = fx.bus('worker').handle('k', seen.handle, { queue, name: 'worker' });
  await bus.start();
  return bus;
}

export const singleActive: Theme = (test) => {
  for (const type of ['classic', 'quorum'] as const) {
    test(`one process at a time handles a ${type} queue, in order, while each of them stops under load`, async (fx) => {
      const seen = new Seen();
      const publisher = await fx.publisher();
      let running = [await worker(fx, type, seen), await worker(fx, type, seen)];
      const count = 400;
      const publishing = publisher.publishMany('k', numbers(count));
      for (let round = 1; round <= 6; round += 1) {
        await fx.eventually(() => assert.ok(seen.done.length >= round * 30));
        const [first, ...others] = running;
        const next = await worker(fx, type, seen);
        await fx.stop(first as Bus);
        running = [...others, next];
      }
      await publishing;
      await fx.eventually(() => assert.equal(seen.done.length, count), { timeout: 30_000 });
      assert.equal(seen.mostAtOnce, 1);
      assert.deepEqual(seen.done, numbers(count));
    });

    test(`a pause hands a ${type} queue over with nothing in hand, and in order`, async (fx) => {
      const seen = new Seen();
      const publisher = await fx.publisher();
      const workers = [await worker(fx, type, seen), await worker(fx, type, seen)];
      const control = await fx.control();
      const count = 300;
      const publishing = publisher.publishMany('k', numbers(count));
      for (let round = 1; round <= 3; round += 1) {
        await fx.eventually(() => assert.ok(seen.done.length >= round * 30));
        await fx.outcome(control.pause(fx.name('q')));
        await fx.outcome(control.resume(fx.name('q')));
      }
      await publishing;
      await fx.eventually(() => assert.equal(seen.done.length, count), { timeout: 30_000 });
      assert.equal(seen.mostAtOnce, 1);
      assert.deepEqual(seen.done, numbers(count));
      for (const each of workers) await fx.stop(each);
    });
  }
};
