import assert from 'node:assert/strict';
import { deferred } from '../../src/util/deferred.js';
import { watch } from '../support/bus-fixture.js';
import { controlOf } from '../support/operators.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const telling: Theme = (test) => {
  test('what runs is told with the message, its attempt, its time and the chain that it is a step of, the longest first', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const bus = fx.bus('mailer', { timeout: '20s' });
    bus.handle('mail.#', () => gate.promise, { name: 'Mail', queue: { name: fx.name('q'), concurrency: 5 } });
    await bus.start();
    await bus.publish('mail.welcome', 1, { messageId: 'the-first' });
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.running, 1));
    await bus.chain([{ key: 'mail.step', payload: 2 }]).dispatch();
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.running, 2));
    const [first, second, ...more] = await control(({ running }) => running());
    assert.deepEqual(more, []);
    assert.deepEqual(
      [first?.service, first?.queue, first?.handler, first?.messageId, first?.routingKey],
      [fx.name('mailer'), fx.name('q'), 'Mail', 'the-first', 'mail.welcome'],
    );
    assert.deepEqual([first?.attempt, first?.timeoutMs, first?.medianMs], [1, 20_000, undefined]);
    assert.ok((first?.runningMs ?? 0) >= (second?.runningMs ?? 0) && (second?.runningMs ?? -1) >= 0);
    assert.deepEqual([first?.chainId, typeof second?.chainId], [undefined, 'string']);
    gate.resolve();
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.attempts, 2));
    assert.deepEqual(await control(({ running }) => running()), []);
  });

  test('of many that run, a hundred are told, those that run longest', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const bus = fx
      .bus('mailer')
      .handle('k', () => gate.promise, { name: 'Mail', queue: { name: fx.name('q'), concurrency: 120 } });
    await bus.start();
    for (const number of numbers(120)) await bus.publish('k', number, { messageId: `m${number}` });
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.running, 120));
    const told = await control(({ running }) => running());
    assert.equal(told.length, 100);
    const times = told.map(({ runningMs }) => runningMs);
    assert.deepEqual(
      times,
      times.toSorted((left, right) => right - left),
    );
    gate.resolve();
  });

  test('the slowest attempts of a handler are told with what has become of their messages', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const bus = fx
      .bus('mailer', { retry: { tries: 2, backoff: 0 } })
      .handle('quick', () => {}, { name: 'Quick', queue: fx.name('q') })
      .handle('slow', () => gate.promise, { name: 'Slow', queue: fx.name('q') })
      .handle('bad', () => Promise.reject(new Error('no')), { name: 'Bad', queue: fx.name('q') });
    await bus.start();
    for (const number of numbers(10)) await bus.publish('quick', number);
    await bus.publish('bad', 1, { messageId: 'the-bad' });
    await bus.publish('slow', 1, { messageId: 'the-slow' });
    await fx.eventually(() =>
      assert.deepEqual(
        bus.status().handlers.map(({ attempts, running, deadLettered }) => [attempts, running, deadLettered]),
        [
          [10, 0, 0],
          [0, 1, 0],
          [2, 0, 1],
        ],
      ),
    );
    gate.resolve();
    await fx.eventually(() => assert.equal(bus.status().handlers[1]?.attempts, 1));
    const told = await control(({ slowest }) => slowest());
    const of = (name: string) => told.filter(({ handler }) => handler === name);
    assert.equal(of('Quick').length, 5);
    assert.deepEqual(
      of('Slow').map(({ messageId, outcome, attempt }) => [messageId, outcome, attempt]),
      [['the-slow', 'handled', 1]],
    );
    assert.deepEqual(
      of('Bad')
        .map(({ messageId, outcome, attempt }) => `${messageId} ${attempt} ${outcome}`)
        .sort(),
      ['the-bad 1 retried', 'the-bad 2 dead-lettered'],
    );
  });

  test('workers tell by which exchanges and patterns messages reach their handlers', async (fx) => {
    const control = controlOf(fx);
    const bus = fx
      .bus('mailer')
      .handle(['mail.#', 'letter.*'], () => {}, { name: 'Mail', queue: fx.name('q') });
    await bus.start();
    const routes = await control((its) => its.routes());
    const common = { service: fx.name('mailer'), exchange: fx.events, isDeclared: true };
    assert.deepEqual(
      routes,
      ['mail.#', 'letter.*'].map((pattern) => ({
        ...common,
        pattern,
        queue: fx.name('q'),
        handler: 'Mail',
      })),
    );
  });

  test('an operator closes an open circuit, and what waits goes on at once', async (fx) => {
    const control = controlOf(fx);
    let isAway = true;
    const work = () => {
      if (isAway) throw new Error('the provider is away');
    };
    const bus = fx
      .bus('mailer', { retry: { tries: 100, backoff: '100ms' } })
      .handle('k', work, {
        name: 'Work',
        queue: fx.name('q'),
        circuitBreaker: { attempts: 2, pause: '10m' },
      })
      .handle('other', () => {}, { name: 'Other', queue: fx.name('other') });
    const closed = watch(bus, 'circuit.closed');
    await bus.start();
    for (const number of numbers(3)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(bus.status().handlers[0]?.circuit, 'open'));
    isAway = false;
    assert.deepEqual(await control((its) => its.resetCircuit(fx.name('q'), 'Nobody')), []);
    assert.deepEqual(await control((its) => its.resetCircuit(fx.name('other'), 'Other')), []);
    const answers = await control((its) => its.resetCircuit(fx.name('q'), 'Work'));
    assert.deepEqual(
      answers.map(({ service, circuitsClosed }) => [service, circuitsClosed]),
      [[fx.name('mailer'), 1]],
    );
    assert.equal(closed.length, 1);
    await fx.eventually(() => {
      const [handler] = bus.status().handlers;
      assert.deepEqual(
        [handler?.circuit, (handler?.attempts ?? 0) - (handler?.failures ?? 0)],
        ['closed', 3],
      );
    });
    const again = await control((its) => its.resetCircuit(fx.name('q'), 'Work'));
    assert.deepEqual(
      again.map(({ circuitsClosed }) => circuitsClosed),
      [0],
    );
  });

  test("the version of a process's application is in its status, where its bus names one", async (fx) => {
    const control = controlOf(fx);
    await fx
      .bus('mailer', { version: '1.4.2' })
      .handle('k', () => {})
      .start();
    await fx
      .bus('other')
      .handle('k', () => {})
      .start();
    const { processes } = await control(({ status }) => status());
    assert.deepEqual(
      processes.map(({ service, version }) => `${service} ${version}`).sort(),
      [`${fx.name('mailer')} 1.4.2`, `${fx.name('other')} undefined`].sort(),
    );
  });
};
