import assert from 'node:assert/strict';
import { Handles, handlers } from '../../../decorators/index.js';
import type { Class } from '../../../decorators/metadata.js';
import type { MessageContext } from '../../../src/message/context.js';
import { BusBench } from '../bus-bench.js';

describe('resolve, for other containers or none', () => {
  const ran: string[] = [];
  let bench: BusBench;
  beforeEach(() => {
    ran.length = 0;
    bench = new BusBench();
  });
  afterEach(() => bench.close());

  class Single {
    constructor(private readonly name: string) {}

    @Handles('a')
    onA() {
      ran.push(`${this.name} a`);
    }

    @Handles('b')
    onB() {
      ran.push(`${this.name} b`);
    }
  }

  for (const [how, make] of [
    ['synchronous', (name: string) => new Single(name)],
    ['asynchronous', async (name: string) => new Single(name)],
  ] as const) {
    it(`that is ${how} makes each singleton once, at start, without a context`, async () => {
      const asked: unknown[][] = [];
      const resolve = (...args: unknown[]) => {
        asked.push(args);
        return make(`#${asked.length}`);
      };
      const bus = bench.bus({ handlers: handlers([Single], { resolve }) });
      assert.deepEqual(asked, []);
      await bus.start();
      assert.deepEqual(asked, [[Single]]);
      await bus.publish('a', {});
      await bus.publish('b', {});
      await bench.clock.settle();
      assert.deepEqual(ran, ['#1 a', '#1 b']);
    });

    it(`that is ${how} makes a scoped class for each message, with its context`, async () => {
      @Handles('c', { scope: 'message' })
      class Scoped {
        constructor(readonly id: string | undefined) {}

        handle() {
          ran.push(String(this.id));
          throw new Error('failed');
        }

        failed() {
          ran.push(`failed ${this.id}`);
        }
      }
      const made: unknown[] = [];
      const resolve = (target: Class, context?: MessageContext) => {
        made.push(target);
        const instance = new Scoped(context?.messageId);
        return how === 'synchronous' ? instance : Promise.resolve(instance);
      };
      const bus = await bench.started({ handlers: handlers([Scoped], { resolve }), retry: { tries: 1 } });
      assert.deepEqual(made, []);
      for (const messageId of ['m1', 'm2']) {
        await bus.publish('c', {}, { messageId });
        await bench.clock.settle();
      }
      assert.deepEqual(ran, ['m1', 'failed m1', 'm2', 'failed m2']);
      assert.deepEqual(made, [Scoped, Scoped]);
    });
  }

  it('that fails at start is what start() rejects with', async () => {
    const broken = new Error('not in the module');
    for (const resolve of [
      () => {
        throw broken;
      },
      () => Promise.reject(broken),
    ]) {
      const bus = bench.bus({ handlers: handlers([Single], { resolve }) });
      await assert.rejects(bus.start(), (error) => error === broken);
    }
  });

  it('that fails for a message is a failed attempt of that message', async () => {
    @Handles('c', { scope: 'message' })
    class Scoped {
      handle() {
        ran.push('handled');
      }
    }
    let calls = 0;
    const resolve = () => {
      calls += 1;
      if (calls === 1) throw new Error('the pool is empty');
      return new Scoped();
    };
    const bus = await bench.started({ handlers: handlers([Scoped], { resolve }), retry: { backoff: '1s' } });
    await bus.publish('c', {});
    await bench.clock.advance(1_000);
    assert.deepEqual(ran, ['handled']);
    assert.equal(calls, 2);
  });
});
