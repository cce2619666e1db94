import assert from 'node:assert/strict';
import { ShutdownError, StopDeadlineError, StoppedError, TopologyError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { eventually } from '../support/eventually.js';
import { ack, numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const stopping: Theme = (test, { survivesProcess }) => {
  test('stop waits for what runs, starts nothing more, and leaves the rest for the next start', async (fx) => {
    const gate = deferred();
    const first = fx.recorder(() => gate.promise);
    const bus = fx.bus('mailer', { concurrency: 2 }).handle('k', first.handle, { queue: { prefetch: 6 } });
    await bus.start();
    const publisher = await fx.publisher();
    await Promise.all(numbers(10).map((number) => publisher.publish('k', number)));
    await fx.eventually(() => assert.equal(first.calls.length, 2));
    let stopped = false;
    const stopping = bus.stop().then(() => {
      stopped = true;
    });
    await publisher.publish('k', 'late');
    await fx.eventually(() => assert.ok(fx.trace.consumersOf(fx.name('mailer')) === 1));
    assert.equal(stopped, false);
    gate.resolve();
    await fx.outcome(stopping);
    assert.equal(first.calls.length, 2);

    const second = fx.recorder();
    await fx.bus('mailer').handle('k', second.handle).start();
    await fx.eventually(() => assert.equal(second.calls.length, 9));
    const all = [...first.payloads, ...second.payloads] as string[];
    assert.deepEqual(all.toSorted(), [...numbers(10), 'late'].toSorted());
    assert.deepEqual(new Set(second.attempts), new Set([1]));
  });

  test('between its handlers and its end a stopping bus publishes until what it was given is done, or told late', async (fx) => {
    const [gate, mayEnd] = [deferred(), deferred()];
    const seen = fx.recorder(() => gate.promise);
    const bus = fx.bus('mailer').handle('k', seen.handle);
    const audit = fx.recorder();
    await fx.bus('audit').handle('told', audit.handle).start();
    await bus.start();
    await bus.publish('k', 1);
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    let handlersEnded = false;
    const afterHandlers = () => {
      handlersEnded = true;
      return mayEnd.promise;
    };
    const stopping = bus.stop({ afterHandlers });
    await bus.publish('told', 'while handlers run');
    assert.equal(handlersEnded, false);
    gate.resolve();
    await fx.eventually(() => assert.equal(handlersEnded, true));
    await bus.publish('told', 'after the handlers');
    mayEnd.resolve();
    await fx.outcome(stopping);
    await fx.eventually(() => assert.deepEqual(audit.payloads, ['while handlers run', 'after the handlers']));
    await assert.rejects(bus.publish('told', 'too late'), StoppedError);

    const other = fx.bus('other');
    await other.start();
    await assert.rejects(
      fx.outcome(other.stop({ deadline: '200ms', afterHandlers: () => new Promise(() => {}) })),
      (error: unknown) =>
        error instanceof StopDeadlineError &&
        /what goes on after the handlers took too long/.test(error.message),
    );
    await assert.rejects(
      other.stop({ afterHandlers: 'soon' as never }),
      /expected afterHandlers to be a function/,
    );
  });

  test('what waits for its turn when a bus stops goes back to the queue once, and that is not charged', async (fx) => {
    const gate = deferred();
    const seen = fx.recorder(({ payload }) => (payload === 'first' ? undefined : gate.promise));
    const bus = fx.bus('mailer', { concurrency: 1 }).handle('k', seen.handle, { queue: { prefetch: 8 } });
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 'first');
    await fx.eventually(() => assert.equal(succeeded.length, 1)); // from now on more than one may be here
    const publisher = await fx.publisher();
    await Promise.all(numbers(8).map((number) => publisher.publish('k', number)));
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    const stopping = bus.stop();
    gate.resolve();
    await fx.outcome(stopping);
    const back = await fx.taken(fx.name('mailer'), 7);
    const counts = back.map(({ properties }) => Number(properties.headers['x-delivery-count'] ?? 0));
    assert.deepEqual(new Set(counts), new Set([0]));
    assert.equal(new Set(back.map(({ body }) => body.toString())).size, 7);
  });

  test('what hundreds of handlers do last of all before a stop is done: none of it is handled again', async (fx) => {
    const count = 500;
    const [gate, later] = [deferred(), deferred()];
    const seen = fx.recorder(({ payload }) => (payload === '0' ? later.promise : gate.promise));
    const bus = fx.bus('mailer', { concurrency: count }).handle('k', seen.handle);
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    const publisher = await fx.publisher();
    await Promise.all(numbers(count).map((number) => publisher.publish('k', number)));
    await fx.eventually(() => assert.equal(seen.calls.length, count), { timeout: 20_000 });
    const stopping = bus.stop();
    await eventually(() => assert.ok(fx.trace.consumersOf(fx.name('mailer')) === 1));
    gate.resolve();
    // The first one, which all others lie behind, ends a little after them.
    await eventually(() => assert.equal(succeeded.length, count - 1));
    later.resolve();
    await fx.outcome(stopping);
    assert.equal(succeeded.length, count);
    const { session } = await fx.port();
    const ready = async () => (await session.inspect(fx.name('mailer')))?.ready;
    // What the broker forgets it has back within that.
    const until = fx.harness.clock.monotonic() + 1_000;
    await fx.eventually(async () => {
      assert.equal(await ready(), 0);
      assert.ok(fx.harness.clock.monotonic() >= until);
    });
  });

  test('what a handler decides while the bus stops is still done: acks, retries, dead letters, publishes', async (fx) => {
    const gate = deferred();
    const decisions = ['done', 'retried', 'dead'];
    const seen = fx.recorder(async ({ payload, context, attempt }) => {
      if (attempt > 1 || payload === 'published') return;
      await gate.promise;
      if (payload === 'done') await context.publish('k', 'published');
      if (payload === 'dead') context.fail('given up');
      if (payload === 'retried') throw new Error('once more');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle, { retry: { backoff: '100ms' } });
    await bus.start();
    for (const payload of decisions) await bus.publish('k', payload);
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    const stopping = bus.stop();
    gate.resolve();
    await fx.outcome(stopping);
    assert.equal(seen.calls.length, 3);
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.equal(letter.body.toString(), '"dead"');
    await fx.bus('mailer').handle('k', seen.handle).start();
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
    const later = seen.calls.slice(3).map(({ payload, attempt }) => `${payload} ${attempt}`);
    assert.deepEqual(later.toSorted(), ['published 1', 'retried 2']);
  });

  test('near the deadline the signals fire, and a handler that ends on its own is no failure', async (fx) => {
    const reasons: unknown[] = [];
    const first = fx.recorder(async ({ context: { signal } }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(signal.reason);
      throw signal.reason;
    });
    const bus = fx.bus('mailer', { stopDeadline: '1s' }).handle('k', first.handle);
    await bus.start();
    await bus.publish('k', 'unfinished');
    await fx.eventually(() => assert.equal(first.calls.length, 1));
    await fx.outcome(bus.stop());
    assert.ok(reasons[0] instanceof ShutdownError);
    const second = fx.recorder();
    await fx.bus('mailer').handle('k', second.handle).start();
    await fx.eventually(() => assert.equal(second.calls.length, 1));
    assert.deepEqual([second.payloads, second.attempts], [['unfinished'], [1]]);
    assert.equal(second.at(0).context.redelivered, true);
  });

  test('at its deadline stop gives up a handler that goes on, and says so; its message is delivered again', async (fx) => {
    const never = deferred();
    const failed: unknown[] = [];
    const first = fx.recorder(() => never.promise);
    const bus = fx.bus('mailer', { stopDeadline: '1s' }).handle('k', first.handle, {
      retry: { tries: 1 },
      failed: (error) => failed.push(error),
    });
    await bus.start();
    await bus.publish('k', 'abandoned');
    await fx.eventually(() => assert.equal(first.calls.length, 1));
    const stoppedAt = fx.harness.clock.monotonic();
    await assert.rejects(fx.outcome(bus.stop()), (error) => {
      assert.ok(error instanceof StopDeadlineError);
      assert.match(error.message, new RegExp(`handlers of queue '${fx.name('mailer')}' were still running`));
      return true;
    });
    const tookMs = fx.harness.clock.monotonic() - stoppedAt;
    assert.ok(tookMs <= 2_000, `${tookMs} ms`);
    const second = fx.recorder();
    await fx.bus('mailer').handle('k', second.handle).start();
    await fx.eventually(() => assert.deepEqual(second.payloads, ['abandoned']));
    assert.equal(second.at(0).context.redelivered, true);
    // The end of the abandoned run, a failure, changes nothing any more.
    never.reject(new Error('too late'));
    await second.at(0).context.publish('k', 'end');
    await fx.eventually(() => assert.deepEqual(second.payloads, ['abandoned', 'end']));
    assert.deepEqual(failed, []);
    assert.deepEqual(await fx.foreign.take(`${fx.name('mailer')}.dead`), []);
  });

  test('stop right after publish waits for the confirms', async (fx) => {
    const seen = fx.recorder();
    const handling = fx.bus('mailer').handle('k', seen.handle);
    await handling.start();
    const publisher = await fx.publisher();
    let confirmed = 0;
    const publishing = numbers(100).map((number) =>
      publisher.publish('k', number).then(() => {
        confirmed += 1;
      }),
    );
    await publisher.stop();
    assert.equal(confirmed, 100);
    await Promise.all(publishing);
    await fx.eventually(() => assert.equal(new Set(seen.payloads).size, 100));
  });

  test('instances that start and stop all the time lose nothing, and handle nothing twice', async (fx) => {
    const seen = fx.recorder();
    const publisher = await fx.publisher();
    const instance = () => fx.bus('mailer', { concurrency: 3 }).handle('k', seen.handle);
    await instance().start();
    const publishing = Promise.all(numbers(60).map((number) => publisher.publish('k', number)));
    await Promise.all(
      numbers(4).map(async () => {
        const bus = instance();
        await bus.start();
        await fx.stop(bus);
      }),
    );
    await publishing;
    await fx.eventually(() => assert.equal(new Set(seen.payloads).size, 60));
    assert.equal(seen.calls.length, 60);
  });

  const left = async (fx: Parameters<Parameters<typeof test>[1]>[0]) => {
    const bus = fx.bus('mailer').handle('k', () => {});
    await bus.start();
    await fx.stop(bus);
    const publisher = await fx.publisher();
    await publisher.publish('k', 'left');
    await fx.stop(publisher);
  };

  if (survivesProcess) {
    test('what a process leaves behind is there for one that starts when all others have ended', async (fx) => {
      await left(fx);
      const seen = fx.recorder();
      const transport = fx.traced(fx.harness.nextProcess());
      await fx.bus('mailer', { transport }).handle('k', seen.handle).start();
      await fx.eventually(() => assert.deepEqual(seen.payloads, ['left']));
    });
  } else {
    test('what a process leaves behind ends with it: a new transport object knows no queue of the old one', async (fx) => {
      await left(fx);
      const port = await fx.port({}, fx.traced(fx.harness.nextProcess()));
      await assert.rejects(port.consume('mailer', ack), TopologyError);
      const again = await fx.port();
      const consumer = await again.consume('mailer', ack);
      await fx.eventually(() => assert.deepEqual(consumer.bodies, ['"left"']));
    });
  }

  test('a handler may ask whether it should come to an end, and come back later elsewhere', async (fx) => {
    const asked: boolean[] = [];
    const started = deferred();
    const stopBegan = deferred();
    const seen = fx.recorder(async ({ context, attempt }) => {
      asked.push(context.shouldStop);
      if (attempt > 1 || asked.length > 2) return;
      started.resolve();
      await stopBegan.promise;
      asked.push(context.shouldStop);
      context.release('100ms');
    });
    const bus = fx.bus('mailer').handle('k', seen.handle);
    bus.on('bus.stopping', () => stopBegan.resolve());
    await bus.start();
    await bus.publish('k', 'a');
    await started.promise;
    await fx.outcome(bus.stop());
    assert.deepEqual(asked, [false, true]);
    await fx.bus('mailer').handle('k', seen.handle).start();
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(seen.attempts, [1, 1], 'a release is no try');
  });

  test('a stop that cancels fires the signals at once, also of a stop that is under way', async (fx) => {
    for (const isUnderWay of [false, true]) {
      const seen = fx.recorder(
        ({ context }) =>
          new Promise((_resolve, reject) => {
            context.signal.addEventListener('abort', () => reject(context.signal.reason));
          }),
      );
      const bus = fx.bus(`mailer-${isUnderWay}`).handle('k', seen.handle);
      await bus.start();
      await bus.publish('k', isUnderWay);
      await fx.eventually(() => assert.equal(seen.calls.length, 1));
      if (isUnderWay) void bus.stop();
      const from = performance.now();
      await fx.outcome(bus.stop({ cancel: true }));
      assert.ok(performance.now() - from < 10_000, 'it waited for the deadline of 30 s');
      assert.ok(seen.calls[0]?.context.signal.reason instanceof ShutdownError);
      // It was told to stop: no try is counted, and it comes again.
      const [back] = await fx.taken(fx.name(`mailer-${isUnderWay}`), 1);
      assert.equal(back?.body.toString(), String(isUnderWay));
    }
  });

  test('a stop does not wait for what a handler of many gathers: it is handled at once', async (fx) => {
    const gathered: number[][] = [];
    const bus = fx.bus('mailer', { stopDeadline: '10s' }).handle(
      'k',
      (payloads: number[]) => {
        gathered.push(payloads);
      },
      { bulk: { max: 10, within: '50s' } },
    );
    const began = watch(bus, 'handler.started');
    await bus.start();
    await bus.publish('k', 1);
    await bus.publish('k', 2);
    // Its window may not open before: a consumer that starts takes one message at first.
    await eventually(() => assert.equal(began.length, 1));
    const from = fx.harness.clock.monotonic();
    await fx.outcome(bus.stop());
    const tookMs = fx.harness.clock.monotonic() - from;
    assert.ok(tookMs < 5_000, `stop() took ${tookMs} ms`);
    assert.equal(gathered.flat()[0], 1);
    const left = 2 - gathered.flat().length;
    assert.equal((await fx.taken(fx.name('mailer'), left)).length, left);
  });
};
