import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Handles, handlers } from '../../decorators/index.js';
import { type Bus, NotStartedError, OptionsError, UnroutableError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, type Recorder, watch } from '../support/bus-fixture.js';
import { controlOf } from '../support/operators.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

const EACH = { each: 'process', name: 'Reload' } as const;

export const eachProcess: Theme = (test) => {
  test('each process gets its copy of each message, and beside that one of them the work', async (fx) => {
    const work = fx.recorder();
    const [one, two, three] = [fx.recorder(), fx.recorder(), fx.recorder()];
    for (const seen of [one, two, three])
      await fx.bus('shop').handle('k', work.handle).handle('k', seen.handle, EACH).start();
    const publisher = await fx.publisher();
    for (const number of numbers(20)) await publisher.publish('k', number);
    await fx.eventually(() => {
      for (const seen of [one, two, three]) assert.deepEqual(seen.payloads, numbers(20));
      assert.deepEqual([...work.payloads].sort(byNumber), numbers(20));
    });
    assert.equal(one.at(0).context.queue, fx.name('shop.Reload'));
  });

  test('a method of a class whose others share their work is for each process', async (fx) => {
    const work: unknown[] = [];
    const copies: unknown[] = [];
    class Settings {
      @Handles('changed', { each: 'process' })
      reload(payload: unknown) {
        copies.push(payload);
      }

      @Handles('asked')
      answer(payload: unknown) {
        work.push(payload);
      }
    }
    const buses = [0, 1].map(() => fx.bus('shop', { handlers: handlers([Settings]) }));
    for (const bus of buses) await bus.start();
    await buses[0]?.publish('changed', 'copy');
    await buses[0]?.publish('asked', 'work');
    await fx.eventually(() => assert.deepEqual([copies, work], [['copy', 'copy'], ['work']]));
    assert.deepEqual(
      buses[0]?.describe().queues.map(({ name, kind }) => [name, kind]),
      [
        [fx.name('shop.Settings.reload'), 'process'],
        [fx.name('shop.Settings'), 'work'],
      ],
    );
  });

  test('a process that fails on its copy tries again by itself, while the others are done', async (fx) => {
    const failing = fx.recorder(({ attempt }) => {
      if (attempt < 3) throw new Error('not yet');
    });
    const fine = fx.recorder();
    const retry = { tries: 5, backoff: ['300ms'] } as const;
    const bus = await started(fx, failing, { ...EACH, retry });
    const retried = watch(bus, 'message.retried');
    await started(fx, fine, { ...EACH, retry });
    await bus.publish('k', 'a');
    await fx.eventually(() => assert.deepEqual(failing.attempts, [1, 2, 3]));
    assert.deepEqual([fine.attempts, retried.length], [[1], 2]);
    const [first, second] = [failing.at(0), failing.at(1)];
    assert.ok(second.at - first.at >= 295, `${second.at - first.at} ms`);
    assert.deepEqual(
      [second.context.queue, second.context.messageId, second.routingKey],
      [first.context.queue, first.context.messageId, 'k'],
    );
  });

  test('what fails in a process that starts amid traffic is tried again, from its first message on', async (fx) => {
    const publisher = await fx.publisher();
    const failed = new Set<unknown>();
    const again = new Set<unknown>();
    let next = 0;
    const publishing = (async () => {
      while (failed.size < 30) {
        await Promise.all(
          numbers(200).map(() => {
            next += 1;
            return publisher.publish('k', next);
          }),
        );
        // In memory nothing else lets the timers in.
        await nextTurn();
      }
    })();
    const retry = { backoff: ['100ms'] } as const;
    await fx
      .bus('shop')
      .handle(
        'k',
        (payload, { attempt }) => {
          if (attempt > 1) again.add(payload);
          if (attempt > 1 || failed.size >= 30) return;
          failed.add(payload);
          throw new Error('not yet');
        },
        { ...EACH, retry },
      )
      .start();
    await publishing;
    await fx.eventually(() => assert.deepEqual([...again].sort(byNumber), [...failed].sort(byNumber)));
  });

  test('a message that waits for its next attempt takes no slot', async (fx) => {
    const seen = fx.recorder(({ payload, attempt }) => {
      if (payload === 'fails' && attempt === 1) throw new Error('not yet');
    });
    const retry = { backoff: ['2s'] } as const;
    const bus = await started(fx, seen, { ...EACH, retry, queue: { concurrency: 1 } });
    await bus.publish('k', 'fails');
    await bus.publish('k', 'next');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['fails', 'next', 'fails']));
  });

  test('a copy that is given up is a dead letter of its handler, one for each process that gave it up', async (fx) => {
    const failing = () => {
      throw new Error('never');
    };
    const buses = [];
    for (const index of [0, 1])
      buses.push(
        await started(fx, fx.recorder(index === 0 ? failing : undefined), { ...EACH, retry: { tries: 1 } }),
      );
    const events = buses.map((bus) => watch(bus, 'message.deadLettered'));
    await buses[0]?.publish('k', 'a');
    const letter = await fx.deadLetter(fx.name('shop.Reload'));
    assert.equal(letter.body.toString(), '"a"');
    // The letter is there before its original is acked, and told of after that.
    await fx.eventually(() =>
      assert.deepEqual(
        events.map(([told]) => told?.event && 'deadQueue' in told.event && told.event.deadQueue),
        [fx.name('shop.Reload.dead'), undefined],
      ),
    );
  });

  test('dead letters that processes have of one message are replayed as one, to all that live', async (fx) => {
    let isBroken = true;
    const failing = [0, 1].map(() =>
      fx.recorder(() => {
        if (isBroken) throw new Error('broken');
      }),
    );
    const fine = fx.recorder();
    const dead: unknown[][] = [];
    const buses: Bus[] = [];
    for (const seen of failing) {
      const bus = await started(fx, seen, { ...EACH, retry: { tries: 1 } });
      buses.push(bus);
      dead.push(watch(bus, 'message.deadLettered'));
    }
    await buses[0]?.publish('k', 'a');
    await fx.eventually(() => assert.equal(dead.flat().length, 2));
    isBroken = false;
    await started(fx, fine, EACH);
    const failures = await fx.failures('shop.Reload');
    const result = await fx.outcome(failures.retry({}));
    assert.deepEqual([result.done, result.failed.length], [2, 0]);
    await fx.eventually(() => {
      for (const { attempts } of failing) assert.deepEqual(attempts, [1, 1]);
      assert.deepEqual(fine.attempts, [1]);
      assert.equal(fine.at(0).routingKey, 'k');
    });
    assert.deepEqual(await failures.count(), [{ deadQueue: fx.name('shop.Reload.dead'), count: 0 }]);
  });

  test('a dead letter stays one while no process lives that it could go to', async (fx) => {
    const bus = await started(fx, fx.recorder(fails), { ...EACH, retry: { tries: 1 } });
    const dead = watch(bus, 'message.deadLettered');
    await bus.publish('k', 'a');
    await fx.eventually(() => assert.equal(dead.length, 1));
    await fx.stop(bus);
    const failures = await fx.failures('shop.Reload');
    const { done, failed } = await fx.outcome(failures.retry({}));
    assert.deepEqual([done, failed.length], [0, 1]);
    assert.match(String(failed[0]?.error.message), /shop\.Reload/);
    assert.equal((await fx.deadLetter(fx.name('shop.Reload'))).body.toString(), '"a"');
  });

  test('a delayed message comes to the processes that live when it is due', async (fx) => {
    const [early, late] = [fx.recorder(), fx.recorder()];
    const first = await started(fx, early, EACH);
    const publisher = await fx.publisher();
    await publisher.publish('k', 'a', { delay: '2s' });
    await fx.stop(first);
    await started(fx, late, EACH);
    await fx.eventually(() => assert.deepEqual(late.payloads, ['a']));
    assert.deepEqual(early.payloads, []);
  });

  test('no more is fetched than the prefetch says, and a crowd is handled to its end', async (fx) => {
    const gate = deferred<void>();
    const seen = fx.recorder(() => gate.promise);
    const bus = await started(fx, seen, { ...EACH, queue: { concurrency: 2, prefetch: 3 } });
    await Promise.all(numbers(50).map((number) => bus.publish('k', number)));
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    // A window opens with one message; those of the whole window come beside that one.
    assert.ok(fx.trace.deliveriesOf(fx.name('shop.Reload')) <= 4);
    gate.resolve();
    await fx.eventually(() => assert.deepEqual([...seen.payloads].sort(byNumber), numbers(50)));
  });

  test('a process with a thousand messages that wait for another attempt takes no others, and goes on with these until they succeed', async (fx) => {
    const attempts = new Map<unknown, number>();
    let isBroken = true;
    const seen = fx.recorder(({ payload, attempt }) => {
      attempts.set(payload, attempt);
      if (isBroken) throw new Error('broken');
    });
    const retry = { tries: 100, backoff: ['1s'] } as const;
    const bus = await started(fx, seen, { ...EACH, retry, queue: { concurrency: 10 } });
    await Promise.all(numbers(1_600).map((number) => bus.publish('k', number)));
    const again = () => [...attempts.values()].filter((attempt) => attempt >= 3).length;
    await fx.eventually(() => assert.ok(again() >= 500, `${again()}`), { timeout: 60_000 });
    // Those that were here when it was full are tried, too.
    assert.ok(attempts.size >= 1_000 && attempts.size <= 1_050, `${attempts.size}`);
    assert.ok(fx.log.some(({ level, message }) => level === 'warn' && /takes no others/.test(message)));
    isBroken = false;
    const done = new Set<unknown>();
    bus.on('handler.succeeded', ({ messageId }) => done.add(messageId));
    await fx.eventually(() => assert.equal(done.size, 1_600), { timeout: 60_000 });
    assert.equal(attempts.size, 1_600);
  });

  test('a process takes no others, either, while what waits in it for another attempt is large', async (fx) => {
    let isBroken = true;
    const seen = fx.recorder(() => {
      if (isBroken) throw new Error('broken');
    });
    const retry = { tries: 100, backoff: ['1s'] } as const;
    const bus = await started(fx, seen, { ...EACH, retry, queue: { concurrency: 2 } });
    const full = () => fx.log.some(({ message }) => /takes no others/.test(message));
    const done = new Set<unknown>();
    bus.on('handler.succeeded', ({ messageId }) => done.add(messageId));
    for (const number of numbers(60)) await bus.publish('k', `${number}${'x'.repeat(512 * 1024)}`);
    await fx.eventually(() => assert.ok(full()));
    assert.ok(new Set(seen.payloads).size <= 40);
    isBroken = false;
    await fx.eventually(() => assert.equal(done.size, 60), { timeout: 30_000 });
  });

  test('a process that stops ends with what waits in it, and says how much that is', async (fx) => {
    const seen = fx.recorder(fails);
    const bus = await started(fx, seen, { ...EACH, retry: { backoff: ['1h'] } });
    const retried = watch(bus, 'message.retried');
    for (const number of numbers(3)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(retried.length, 3));
    await fx.stop(bus);
    const told = fx.log.filter(({ level, message }) => level === 'warn' && /ended with it/.test(message));
    assert.deepEqual(
      told.map(({ fields }) => fields),
      [{ queue: fx.name('shop.Reload'), messages: 3 }],
    );
  });

  test('a handler that runs while its process stops is waited for, and its queue is gone then', async (fx) => {
    const gate = deferred<void>();
    const seen = fx.recorder(() => gate.promise);
    const bus = await started(fx, seen, EACH);
    const publisher = await fx.publisher();
    const ended = watch(bus, 'handler.succeeded');
    await publisher.send('k', 'a');
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    const stopping = fx.stop(bus);
    await fx.eventually(async () => {
      await assert.rejects(publisher.send('k', 'b'), UnroutableError);
    });
    gate.resolve();
    await stopping;
    assert.equal(ended.length, 1);
    await assert.rejects(bus.publish('k', 'c'), (error) => !(error instanceof NotStartedError));
  });

  test('a message that its handler releases comes again in the process', async (fx) => {
    const seen = fx.recorder(({ context }) => {
      if (seen.calls.length === 1) context.release('500ms');
    });
    const bus = await started(fx, seen, EACH);
    await bus.publish('k', 'a');
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 1]));
  });

  test('operators pause it, scale it and let it go on in all processes at once', async (fx) => {
    const control = controlOf(fx);
    const [one, two, work] = [fx.recorder(), fx.recorder(), fx.recorder()];
    for (const seen of [one, two]) await started(fx, seen, EACH);
    const publisher = fx.bus('worker').handle('k', work.handle);
    await publisher.start();
    const name = fx.name('shop.Reload');
    const heard = await control(({ pause }) => pause(name));
    assert.equal(heard.processes.length, 2);
    await publisher.publish('k', 'while paused');
    const { queues } = await control(({ status }) => status());
    const [queue] = queues.filter((each) => each.queue === name);
    assert.deepEqual(queue && [queue.ready, queue.serving, queue.consuming, queue.paused], [0, 2, 0, true]);
    await fx.eventually(() => assert.deepEqual(work.payloads, ['while paused']));
    assert.deepEqual([...one.payloads, ...two.payloads], []);
    await control(({ resume }) => resume(name));
    await fx.eventually(() =>
      assert.deepEqual([one.payloads, two.payloads], [['while paused'], ['while paused']]),
    );
    const scaled = await control(({ scale }) => scale(name, 3));
    assert.equal(scaled.processes.length, 2);
  });

  test('a retry that is due while its handler is paused waits until it goes on', async (fx) => {
    const control = controlOf(fx);
    const seen = fx.recorder(({ attempt }) => {
      if (attempt === 1) throw new Error('not yet');
    });
    const retry = { backoff: ['1s'] } as const;
    const bus = await started(fx, seen, { ...EACH, retry });
    const retried = watch(bus, 'message.retried');
    await bus.publish('k', 'a');
    await fx.eventually(() => assert.equal(retried.length, 1));
    await control(({ pause }) => pause(fx.name('shop.Reload')));
    await fx.eventually(() => fx.harness.clock.monotonic() > seen.at(0).at + 1_500);
    assert.deepEqual(seen.attempts, [1]);
    await control(({ resume }) => resume(fx.name('shop.Reload')));
    await fx.eventually(() => assert.deepEqual(seen.attempts, [1, 2]));
  });

  test('a chain is led on by the handler of its step, and not by those that look on in each process', async (fx) => {
    const steps = fx.recorder();
    const lookers = [fx.recorder(), fx.recorder()];
    const next = fx.recorder();
    for (const seen of lookers)
      await fx
        .bus('shop')
        .handle('first', steps.handle)
        .handle('second', next.handle)
        .handle('first', seen.handle, EACH)
        .start();
    const publisher = await fx.publisher();
    await publisher
      .chain([
        { key: 'first', payload: 1 },
        { key: 'second', payload: 2 },
      ])
      .dispatch();
    await fx.eventually(() => {
      assert.deepEqual([next.payloads, steps.payloads], [[2], [1]]);
      for (const seen of lookers) assert.deepEqual(seen.payloads, [1]);
    });
    await publisher.send('second', 'last');
    await fx.eventually(() => assert.equal(next.payloads.at(-1), 'last'));
    assert.deepEqual(next.payloads, [2, 'last']);
  });

  test('options that mean a queue that is kept, or one handling for all, are refused with the reason', async (fx) => {
    class Both {
      @Handles('a', { each: 'process' })
      one() {}
    }
    @Handles('a', { each: 'process' })
    class Clash {
      handle() {}

      @Handles('b')
      other() {}
    }
    const refused = (configure: (bus: ReturnType<BusFixture['bus']>) => unknown, ...problems: RegExp[]) => {
      const bus = fx.bus('shop');
      configure(bus);
      assert.throws(
        () => bus.describe(),
        (error) => error instanceof OptionsError && problems.every((problem) => problem.test(error.message)),
      );
    };
    refused(
      (bus) => bus.handle('a', () => {}, { ...EACH, idempotent: { keep: '1h' } }),
      /Reload: idempotent has no place/,
    );
    refused((bus) => bus.handle('a', () => {}, { ...EACH, queue: 'q' }), /queue\.name has no place/);
    refused(
      (bus) => bus.handle('a', () => {}, { ...EACH, queue: { lanes: ['high', 'default'], type: 'quorum' } }),
      /queue\.lanes has no place/,
      /queue\.type has no place/,
    );
    refused((bus) => bus.handle('a.*', () => {}, { each: 'process' }), /a pattern is no name/);
    assert.throws(
      () => fx.bus('shop', { handlers: handlers([Clash]) }).describe(),
      (error) =>
        error instanceof OptionsError && /would be that of Clash, for each process/.test(error.message),
    );
    assert.equal(fx.bus('shop', { handlers: handlers([Both]) }).describe().queues.length, 1);
  });

  test('it is consumed beside chosen queues and lanes, with slots of its own', async (fx) => {
    const gate = deferred<void>();
    const copies = fx.recorder();
    const bus = fx
      .bus('shop')
      .handle('work', () => gate.promise, { queue: { name: fx.name('q'), lanes: ['high', 'default'] } })
      .handle('k', copies.handle, EACH);
    await bus.start({ queues: [fx.name('q'), fx.name('shop.Reload')], lanes: ['high'], concurrency: 1 });
    const began = watch(bus, 'handler.started');
    await bus.publish('work', 1, { lane: 'high' });
    await fx.eventually(() => assert.equal(began.length, 1));
    await bus.publish('k', 'a');
    await fx.eventually(() => assert.deepEqual(copies.payloads, ['a']));
    gate.resolve();
  });
};

const byNumber = (left: unknown, right: unknown) => Number(left) - Number(right);

const fails = () => {
  throw new Error('broken');
};

type Options = Parameters<ReturnType<BusFixture['bus']>['handle']>[2];

async function started(fx: BusFixture, seen: Recorder, options: Options) {
  const bus = fx.bus('shop').handle('k', seen.handle, options);
  await bus.start();
  return bus;
}
