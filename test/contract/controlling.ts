import assert from 'node:assert/strict';
import { CancelledError, OptionsError, TopologyError } from '../../src/index.js';
import { deferred } from '../../src/util/deferred.js';
import { ours } from '../support/bus-fixture.js';
import { controlOf, type OperatorControl } from '../support/operators.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const controlling: Theme = (test) => {
  test('an operator who comes before any worker, or with another prefix, is told so, and leaves nothing', async (fx) => {
    await assert.rejects(fx.outcome(fx.control()), (error) => {
      assert.ok(error instanceof TopologyError);
      assert.match(
        error.message,
        /^no worker of this application has listened for operators' requests on this broker: .*NOT.FOUND/,
      );
      return true;
    });
    const port = await fx.port();
    assert.equal(await port.session.inspect(fx.name('paused')), undefined);
  });

  test('what an operator does to a queue that is not there is an error that names it', async (fx) => {
    const control = controlOf(fx);
    await fx
      .bus('mailer')
      .handle('k', () => {})
      .start();
    for (const act of [
      (its: OperatorControl) => its.pause(fx.name('missing')),
      (its: OperatorControl) => its.resume(fx.name('missing')),
      (its: OperatorControl) => its.scale(fx.name('missing'), 3),
    ]) {
      await assert.rejects(control(act), (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(error.message, /there is no queue '.*missing'/);
        return true;
      });
    }
    await assert.rejects(
      control(({ scale }) => scale('any', 0)),
      /a positive integer, got 0/,
    );
    await assert.rejects(
      control(({ silence }) => silence('', '500d')),
      /expected pattern to be a non-empty string, got ""\n.*expected duration to be a duration of at most 400 days/,
    );
    await assert.rejects(
      control(({ acknowledge }) => acknowledge('')),
      OptionsError,
    );
  });

  test('a queue that has gone, and of which dead letters stay, can neither be paused nor scaled', async (fx) => {
    const control = controlOf(fx);
    const handle = { each: 'process', name: 'Hears' } as const;
    const gone = fx.bus('mailer').handle('k', () => {}, handle);
    await gone.start();
    await fx
      .bus('other')
      .handle('k', () => {})
      .start();
    await control(({ scale }) => scale(fx.name('mailer.Hears'), 3));
    await fx.stop(gone);
    for (const act of [
      (its: OperatorControl) => its.pause(fx.name('mailer.Hears')),
      (its: OperatorControl) => its.scale(fx.name('mailer.Hears'), 3),
    ])
      await assert.rejects(
        control(act),
        (error) => error instanceof OptionsError && /only its dead letters/.test(error.message),
      );
    const { paused } = await control(({ status }) => status());
    assert.deepEqual(paused, []);
  });

  test('scaling changes how many messages of a queue run at once, up and down, while it runs', async (fx) => {
    const control = controlOf(fx);
    const gates: ReturnType<typeof deferred<void>>[] = [];
    const seen = fx.recorder(() => {
      const gate = deferred<void>();
      gates.push(gate);
      return gate.promise;
    });
    const bus = fx
      .bus('mailer')
      .handle('k', seen.handle, { queue: { name: fx.name('q'), concurrency: 2 } })
      .handle('laned', () => {}, { queue: { name: fx.name('laned'), lanes: ['high', 'default'] } })
      .handle('batched', (_all: unknown[]) => {}, { queue: fx.name('batches'), bulk: { max: 20 } });
    await bus.start();
    for (const number of numbers(12)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    await control(({ scale }) => scale(fx.name('q'), 5));
    await fx.eventually(() => assert.equal(seen.calls.length, 5));
    await control(({ scale }) => scale(fx.name('q'), 1));
    for (const gate of gates.slice(0, 4)) gate.resolve();
    const slotsOf = async () => (await control(({ status }) => status())).processes[0]?.slotGroups[0];
    await fx.eventually(async () => assert.equal((await slotsOf())?.running, 1));
    assert.equal((await slotsOf())?.slots, 1);
    assert.equal(seen.calls.length, 5);
    gates[4]?.resolve();
    await fx.eventually(() => assert.equal(seen.calls.length, 6));
    await control(({ scale }) => scale(fx.name('q'), 10));
    await fx.eventually(() => assert.equal(seen.calls.length, 12));
    const refused = await control(({ scale }) => scale(fx.name('batches'), 3));
    assert.match(
      refused.processes[0]?.problem ?? '',
      /at least 20, the messages that a handler takes in one call; got 3/,
    );
    const lane = await control(({ scale }) => scale(fx.name('laned.high'), 3));
    assert.match(lane.processes[0]?.problem ?? '', /shares the slots of its queue: scale '.*laned'/);
    for (const gate of gates) gate.resolve();
  });

  test('cancel fires the signal of the one handler that runs the message; it is dead-lettered, and no try follows', async (fx) => {
    const control = controlOf(fx);
    const reasons: unknown[] = [];
    const seen = fx.recorder(
      ({ context: { signal } }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason);
            reject(signal.reason);
          });
        }),
    );
    const buses = [1, 2].map(() =>
      fx.bus('mailer').handle('k', seen.handle, { queue: { name: fx.name('q'), concurrency: 1 } }),
    );
    for (const bus of buses) await bus.start();
    const publisher = await fx.publisher();
    await publisher.publish('k', 'to be cancelled');
    await publisher.publish('k', 'to go on');
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    const id = seen.calls.find(({ payload }) => payload === 'to be cancelled')?.context.messageId as string;
    assert.deepEqual(await control(({ cancel }) => cancel('another')), []);
    const [answer, ...more] = await control(({ cancel }) => cancel(id));
    assert.deepEqual([answer?.service, more], [fx.name('mailer'), []]);
    const letter = await fx.deadLetter(fx.name('q'));
    assert.deepEqual([letter.body.toString(), ours(letter).reason], ['"to be cancelled"', 'cancelled']);
    assert.ok(reasons[0] instanceof CancelledError);
    assert.equal(seen.calls.length, 2);
    assert.equal(reasons.length, 1);
    await Promise.all(buses.map((bus) => fx.outcome(bus.stop({ cancel: true }))));
  });

  test('status says what each process does, and counts what its handlers did', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const bus = fx
      .bus('mailer', { retry: { tries: 2, backoff: 0 } })
      .handle('ok', () => {}, { name: 'Ok', queue: fx.name('q') })
      .handle('bad', () => Promise.reject(new Error('no')), { name: 'Bad', queue: fx.name('q') })
      .handle('fails', (_payload, context) => context.fail('no'), { name: 'Fails', queue: fx.name('q') })
      .handle('slow', () => gate.promise, { name: 'Slow', queue: { name: fx.name('slow'), concurrency: 3 } });
    await bus.start();
    for (const key of ['ok', 'ok', 'ok', 'bad', 'fails', 'slow']) await bus.publish(key, key);
    const read = async () => {
      const { processes, queues, handlers } = await control(({ status }) =>
        status({ service: fx.name('mailer') }),
      );
      const [process] = processes;
      assert.ok(process && processes.length === 1);
      return { process, queues, handlers };
    };
    const ends = ({ handlers }: Awaited<ReturnType<typeof read>>) =>
      handlers.map(({ attempts, deadLettered }) => [attempts, deadLettered]);
    const ended = [
      [3, 0],
      [2, 1],
      [1, 1],
      [0, 0],
    ];
    await fx.eventually(async () => assert.deepEqual(ends(await read()), ended));
    const { process, queues, handlers } = await read();
    assert.deepEqual(
      handlers.map(({ handler, queue, running, attempts, failures, retries, deadLettered }) =>
        [handler, queue, running, attempts, failures, retries, deadLettered].join(' '),
      ),
      [
        `Ok ${fx.name('q')} 0 3 0 0 0`,
        `Bad ${fx.name('q')} 0 2 2 1 1`,
        `Fails ${fx.name('q')} 0 1 1 0 1`,
        `Slow ${fx.name('slow')} 1 0 0 0 0`,
      ],
    );
    const [ok, , , slow] = handlers;
    assert.ok(ok?.runtimeMs && ok.waitMs && ok.runtimeMs.p99 >= ok.runtimeMs.p50);
    assert.deepEqual([slow?.runtimeMs, slow?.circuitsOpen], [undefined, undefined]);
    assert.deepEqual(
      [process.state, process.supervised, process.pid > 0, process.memory > 1_000_000],
      ['started', false, true, true],
    );
    assert.deepEqual(
      process.slotGroups.map(({ queues, slots, running }) => [queues, slots, running]),
      [
        [[fx.name('q')], 10, 0],
        [[fx.name('slow')], 3, 1],
      ],
    );
    assert.deepEqual(
      queues.map(({ queue, ready, consumers, consuming, paused }) => [
        queue,
        ready,
        consumers,
        consuming,
        paused,
      ]),
      [
        [fx.name('q'), 0, 1, 1, false],
        [fx.name('slow'), 0, 1, 1, false],
      ],
    );
    assert.deepEqual((await control(({ status }) => status({ service: 'another' }))).processes, []);
    gate.resolve();
  });

  test('status says how long the first message waits that nobody consumes, where a look at it is free', async (fx) => {
    const control = controlOf(fx);
    const { peekIsFree } = (await fx.port()).session.brokerInfo;
    const bus = fx.bus('mailer').handle('k', () => {}, { queue: fx.name('q') });
    await bus.start();
    await control(({ pause }) => pause(fx.name('q')));
    const oldest = async () => {
      const { queues } = await control(({ status }) => status());
      return queues.find(({ queue }) => queue === fx.name('q'));
    };
    await fx.eventually(async () => assert.deepEqual((await oldest())?.oldestMs, 0));
    await bus.publish('k', 1);
    await fx.eventually(async () => {
      const { ready, oldestMs } = (await oldest()) ?? {};
      assert.equal(ready, 1);
      if (peekIsFree) assert.ok((oldestMs ?? 0) > 5, `${oldestMs}`);
      else assert.equal(oldestMs, undefined);
    });
    await control(({ resume }) => resume(fx.name('q')));
  });

  test('status says that nothing waits where the queue is empty, however long a message runs', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const bus = fx
      .bus('mailer', { timeout: '20s' })
      .handle('slow', () => gate.promise, { name: 'Slow', queue: { name: fx.name('q'), concurrency: 1 } });
    await bus.start();
    await bus.publish('slow', 1);
    await fx.eventually(() => assert.ok((bus.status().handlers[0]?.longestMs ?? 0) > 5));
    const { queues } = await control(({ status }) => status());
    assert.deepEqual(
      queues.map(({ ready, oldestMs }) => [ready, oldestMs]),
      [[0, 0]],
    );
    gate.resolve();
  });

  test('status has code that goes on after its timeout and its grace, until it returns', async (fx) => {
    const gate = deferred<void>();
    const bus = fx
      .bus('mailer', { retry: { tries: 1 }, timeout: '20ms', timeoutGrace: '20ms' })
      .handle('deaf', () => gate.promise, { name: 'Deaf', queue: fx.name('q') });
    await bus.start();
    await bus.publish('deaf', 1);
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.deadLettered, 1));
    const [deaf] = bus.status().handlers;
    assert.equal(deaf?.running, 0);
    assert.ok((deaf?.longestMs ?? 0) >= 40);
    gate.resolve();
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.longestMs, undefined));
  });

  test('status says how long the oldest message waits, how long one runs, and which errors there were last', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const bus = fx
      .bus('mailer', { retry: { tries: 1 }, timeout: '20s' })
      .handle('bad', () => Promise.reject(new TypeError('no such thing')), {
        name: 'Bad',
        queue: fx.name('q'),
      })
      .handle('slow', () => gate.promise, { name: 'Slow', queue: { name: fx.name('slow'), concurrency: 1 } });
    assert.deepEqual([bus.status().state, bus.status().handlers], ['new', []]);
    await bus.start();
    for (const key of ['bad', 'slow', 'slow', 'slow']) await bus.publish(key, key);
    const waiting = () => bus.status().slotGroups.find(({ queues: [queue] }) => queue === fx.name('slow'));
    await fx.eventually(() => assert.ok((waiting()?.lanes[0]?.oldestMs ?? 0) > 5));
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.deadLettered, 1));
    const { queues, handlers } = await control(({ status }) => status());
    const [bad, slow] = handlers;
    assert.deepEqual(
      [bad?.failureRate, bad?.longestMs, bad?.timeoutMs, bad?.timedOut],
      [1, undefined, 20_000, 0],
    );
    assert.deepEqual(
      bad?.errors.map(({ kind, message, count }) => [kind, message, count]),
      [['TypeError', 'no such thing', 1]],
    );
    assert.deepEqual([slow?.failureRate, slow?.errors], [undefined, []]);
    assert.ok((slow?.longestMs ?? 0) > 0);
    const [idle, busy] = queues;
    assert.equal(idle?.oldestMs, 0);
    assert.ok((busy?.oldestMs ?? 0) > 5);
    assert.ok((waiting()?.busyMs ?? 0) >= (slow?.longestMs ?? 0));
    const published = waiting()?.lanes[0]?.oldestMs ?? 0;
    await control(({ pause }) => pause(fx.name('slow')));
    // Nothing is consumed: how old the first message of the queue is can't be known here.
    await fx.eventually(() => assert.equal(waiting()?.lanes[0]?.oldestMs, undefined));
    await control(({ resume }) => resume(fx.name('slow')));
    await fx.eventually(() => assert.ok((waiting()?.lanes[0]?.oldestMs ?? 0) >= published));
    gate.resolve();
    await fx.eventually(() => assert.equal(waiting()?.lanes[0]?.oldestMs, 0));
  });

  test('status shows a circuit that has opened, and that it is closed again', async (fx) => {
    const control = controlOf(fx);
    let isBroken = true;
    const work = () => {
      if (isBroken) throw new Error('the provider is away');
    };
    const circuitBreaker = { failures: 0.5, attempts: 2, pause: '1s' } as const;
    const bus = fx
      .bus('mailer', { retry: { tries: 10, backoff: '100ms' } })
      .handle('k', work, { name: 'Work', circuitBreaker });
    await bus.start();
    const circuits = async () =>
      (await control(({ status }) => status())).handlers.map(({ circuitsOpen }) => circuitsOpen);
    assert.deepEqual(await circuits(), [0]);
    await bus.publish('k', 1);
    await bus.publish('k', 2);
    await fx.eventually(async () => assert.deepEqual(await circuits(), [1]));
    isBroken = false;
    await fx.eventually(async () => assert.deepEqual(await circuits(), [0]), { timeout: 20_000 });
  });

  test('a restart is the business of who runs the process: without one it says so', async (fx) => {
    const control = controlOf(fx);
    const alone = fx.bus('mailer').handle('k', () => {});
    await alone.start();
    const supervised = fx.bus('mailer').handle('k', () => {});
    let asked = 0;
    supervised.on('control.restart', () => {
      asked += 1;
    });
    await supervised.start();
    const answers = await control(({ restart }) => restart(fx.name('mailer')));
    assert.deepEqual(answers.map(({ problem }) => problem?.slice(0, 22)).sort(), [
      'it can not be replaced',
      undefined,
    ]);
    assert.equal(asked, 1);
    assert.deepEqual(await control(({ restart }) => restart('another')), []);
  });

  test('who is not of this application, has no handlers, or wants to hear nobody does not answer', async (fx) => {
    const control = controlOf(fx);
    const publisher = await fx.publisher();
    const deaf = fx.bus('deaf', { operatorControl: false }).handle('k', () => {}, { queue: fx.name('q') });
    await deaf.start();
    const hears = fx.bus('hears').handle('k', () => {}, { queue: fx.name('q') });
    await hears.start();
    // What nobody can read disturbs nobody.
    for (const body of [
      '',
      'null',
      '{"version":2,"ask":"status"}',
      '{"version":1,"ask":"scale","queue":7}',
      '{"version":1,"ask":"what"}',
    ])
      await fx.foreign.publish({ exchange: fx.name('control'), routingKey: '', body });
    assert.deepEqual(
      (await control(({ status }) => status())).processes.map(({ service }) => service),
      [fx.name('hears')],
    );
    await publisher.stop();
  });
};
