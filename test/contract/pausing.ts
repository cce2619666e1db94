import assert from 'node:assert/strict';
import { ConnectError, OptionsError, type Transport } from '../../src/index.js';
import type { OutgoingMessage } from '../../src/message/message.js';
import type { PauseResult } from '../../src/operate.js';
import type { Held } from '../../src/transport/operator-session.js';
import type { Session } from '../../src/transport/transport.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { controlOf, type OperatorControl, withSession } from '../support/operators.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

export const pausing: Theme = (test, { hasConnections }) => {
  test('a queue that an operator pauses is not handled, here nor by who starts later, until it is resumed', async (fx) => {
    const control = controlOf(fx);
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle, { queue: fx.name('q') });
    await bus.start();
    const events = watch(bus, 'consumer.paused', 'consumer.resumed');
    await bus.publish('k', 'before');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['before']));
    const heard = await control(({ pause }) => pause(fx.name('q')));
    assert.deepEqual(
      [heard.processes.map(({ service, problem }) => [service, problem]), heard.consumers],
      [[[fx.name('mailer'), undefined]], 1],
    );
    const later = fx.bus('mailer').handle('k', seen.handle, { queue: fx.name('q') });
    await later.start();
    const publisher = await fx.publisher();
    await publisher.publish('k', 'while paused');
    const status = await control(({ status: ask }) => ask());
    const queue = status.queues.find((each) => each.queue === fx.name('q'));
    assert.deepEqual(
      { ...queue, consumers: 0, oldestMs: 0 },
      { queue: fx.name('q'), ready: 1, consumers: 0, consuming: 0, serving: 2, oldestMs: 0, paused: true },
    );
    assert.equal(status.processes.length, 2);
    assert.deepEqual(seen.payloads, ['before']);
    assert.deepEqual([bus.health().ready, later.health().consumers[0]?.state], [true, 'paused']);
    await control(({ resume }) => resume(fx.name('q')));
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['before', 'while paused']));
    await publisher.publish('k', 'after');
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['before', 'while paused', 'after']));
    const told = { service: fx.name('mailer'), queue: fx.name('q'), why: 'operator' };
    assert.deepEqual(
      events.map(({ name, event }) => [name, event]),
      [
        ['consumer.paused', told],
        ['consumer.resumed', told],
      ],
    );
  });

  test('what was fetched when its queue is paused is finished, and nothing more is fetched', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred<void>();
    const seen = fx.recorder(({ payload }) => (payload === 'first' ? undefined : gate.promise));
    const bus = fx
      .bus('mailer')
      .handle('k', seen.handle, { queue: { name: fx.name('q'), concurrency: 1, prefetch: 3 } });
    const succeeded = watch(bus, 'handler.succeeded');
    await bus.start();
    await bus.publish('k', 'first');
    await fx.eventually(() => assert.equal(succeeded.length, 1)); // from now on more than one may be here
    for (const number of numbers(5)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(fx.trace.deliveriesOf(fx.name('q')), 4));
    await control(({ pause }) => pause(fx.name('q')));
    await waits(fx, 2);
    gate.resolve();
    await fx.eventually(() => assert.equal(succeeded.length, 4));
    await waits(fx, 2);
    await control(({ resume }) => resume(fx.name('q')));
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['first', ...numbers(5)]));
    assert.ok(seen.calls.every(({ attempt, context }) => attempt === 1 && !context.redelivered));
  });

  test('pausing one queue, or one lane, leaves the others alone', async (fx) => {
    const control = controlOf(fx);
    const seen = fx.recorder();
    const lanes = { name: fx.name('q'), lanes: ['high', 'default'] };
    const bus = fx
      .bus('mailer')
      .handle('laned', seen.handle, { queue: lanes })
      .handle('other', seen.handle, { queue: fx.name('other') });
    await bus.start({ queues: [fx.name('q'), fx.name('other')] });
    await control(({ pause }) => pause(fx.name('q.high')));
    await bus.publish('laned', 'high', { lane: 'high' });
    await bus.publish('laned', 'default');
    await bus.publish('other', 'other');
    await fx.eventually(() => assert.deepEqual([...seen.payloads].sort(), ['default', 'other']));
    await control(({ pause }) => pause(fx.name('q')));
    await control(({ resume }) => resume(fx.name('q.high')));
    await bus.publish('laned', 'default again');
    await bus.publish('other', 'other again');
    await fx.eventually(() => assert.equal(seen.payloads.length, 3));
    assert.ok(seen.payloads.includes('other again'));
    await control(({ resume }) => resume(fx.name('q')));
    await fx.eventually(() => assert.equal(seen.payloads.length, 5));
  });

  test('who resumes a lane of a paused queue, or a queue with a paused lane, is told what keeps it paused', async (fx) => {
    const control = controlOf(fx);
    const lanes = { name: fx.name('q'), lanes: ['high', 'default'] };
    await fx
      .bus('mailer')
      .handle('k', () => {}, { queue: lanes })
      .start();
    const [q, high] = [fx.name('q'), fx.name('q.high')];
    const pausedBy = async (act: (its: OperatorControl) => Promise<PauseResult>) =>
      (await control(act)).pausedBy;
    assert.deepEqual(await pausedBy(({ pause }) => pause(q)), [q]);
    assert.deepEqual(await pausedBy(({ resume }) => resume(high)), [q]);
    assert.deepEqual(await pausedBy(({ pause }) => pause(high)), [q, high]);
    const resumed = await control(({ resume }) => resume(q));
    assert.deepEqual([resumed.pausedBy, resumed.paused], [[high], [high]]);
    assert.deepEqual(await pausedBy(({ resume }) => resume(high)), []);
  });

  test('queues of Hopline itself, and of dead letters, are not paused', async (fx) => {
    const control = controlOf(fx);
    await fx
      .bus('mailer')
      .handle('k', () => {}, { queue: fx.name('q') })
      .start();
    for (const name of [fx.name('q.dead'), fx.name('paused'), 'hopline.delay.lost'])
      await assert.rejects(
        control(({ pause }) => pause(name)),
        (error) => error instanceof OptionsError && /is a queue of Hopline's own/.test(error.message),
      );
  });

  test('a paused queue is served by its processes, though they do not consume it', async (fx) => {
    const control = controlOf(fx);
    const gate = deferred();
    const bus = fx.bus('mailer').handle('k', () => gate.promise, { queue: fx.name('q') });
    await bus.start();
    await bus.publish('k', 1);
    await control(({ pause }) => pause(fx.name('q')));
    const { queues } = await control(({ status }) => status());
    assert.deepEqual(
      queues.map(({ serving, consuming, paused }) => ({ serving, consuming, paused })),
      [{ serving: 1, consuming: 0, paused: true }],
    );
    gate.resolve();
  });

  test('operators who pause at the same time do not undo what the others do', async (fx) => {
    const first = controlOf(fx);
    const names = numbers(6).map((number) => `q${number}`);
    const bus = fx.bus('mailer');
    for (const name of names) bus.handle(name, () => {}, { queue: fx.name(name) });
    await bus.start();
    const operators = names.map(() => controlOf(fx));
    await Promise.all(
      operators.map((operator, index) => operator(({ pause }) => pause(fx.name(names[index] as string)))),
    );
    const { paused } = await first(({ status }) => status());
    assert.deepEqual(paused, names.map(fx.name));
    await Promise.all(
      operators
        .slice(1)
        .map((operator, index) => operator(({ resume }) => resume(fx.name(names[index + 1] as string)))),
    );
    assert.deepEqual((await first(({ status }) => status())).paused, [fx.name('q0')]);
  });

  test('what one operator says at once, or two on one connection, is done one after the other: all of it counts', async (fx) => {
    // More than the answers to each could be waited for one after the other.
    const names = numbers(12)
      .map((number) => `q${number}`)
      .sort();
    const bus = fx.bus('mailer');
    for (const name of names) bus.handle(name, () => {}, { queue: fx.name(name) });
    await bus.start();
    const transport = fx.transport();
    const [one, two] = await Promise.all([0, 1].map(() => fx.outcome(fx.control({ transport, wait: '1s' }))));
    const pauses = names.map((name, index) => (index % 2 === 0 ? one : two)?.pause(fx.name(name)));
    const heeded = await fx.outcome(Promise.all(pauses));
    assert.ok(heeded.every((each) => each?.processes.length === 1));
    const { paused } = await controlOf(fx)(({ status }) => status());
    assert.deepEqual(paused, names.map(fx.name));
  });

  test('a pause that is said while a process reads what was paused before is what counts', async (fx) => {
    const control = controlOf(fx);
    const seen = fx.recorder();
    await fx
      .bus('another')
      .handle('other', () => {}, { queue: fx.name('q') })
      .start();
    const elsewhere = deferred();
    const transport = slowToRead(fx.transport(), elsewhere.promise);
    const bus = fx.bus('mailer', { transport }).handle('k', seen.handle, { queue: fx.name('q') });
    const paused = watch(bus, 'consumer.paused');
    const starting = bus.start();
    await fx.eventually(async () =>
      assert.equal((await control(({ status }) => status())).processes.length, 2),
    );
    await control(({ pause }) => pause(fx.name('q')));
    elsewhere.resolve();
    await starting;
    assert.equal(paused.length, 1);
    const { processes } = await control(({ status }) => status({ service: fx.name('mailer') }));
    assert.deepEqual(processes[0]?.slotGroups[0]?.lanes[0]?.paused, ['operator']);
  });

  test('a pause counts though processes read what was paused before while it is written', async (fx) => {
    const bus = fx.bus('mailer');
    for (const name of ['q', 'other']) bus.handle(name, () => {}, { queue: fx.name(name) });
    await bus.start();
    const [port, another] = await Promise.all([fx.port(), fx.port()]);
    const paused = async () => port.session.inspect(fx.name('paused'));
    let read: Held | undefined;
    let reading: Promise<unknown> | undefined;
    const readFirst = async (message: OutgoingMessage, publish: Publish) => {
      if (message.to !== 'exchange' || message.routingKey !== fx.name('paused')) return await publish();
      const before = (await paused())?.consumers ?? 0;
      reading = port.hold('paused').then((held) => {
        read = held;
      });
      // It has the old message, or waits for the new one.
      await fx.eventually(async () => assert.ok(read || ((await paused())?.consumers ?? 0) > before));
      const hasOld = read !== undefined;
      const receipt = await publish();
      if (hasOld) await another.peek('paused');
      return receipt;
    };
    await controlOf(fx)(({ pause }) => pause(fx.name('q')));
    const control = await fx.outcome(fx.control({ transport: publishing(fx.transport(), readFirst) }));
    await fx.outcome(control.pause(fx.name('other')));
    await reading;
    read?.requeue();
    await fx.eventually(async () => assert.deepEqual(await paused(), { ready: 1, consumers: 0 }));
    const status = await fx.outcome(control.status());
    assert.deepEqual(status.paused, [fx.name('other'), fx.name('q')]);
  });

  test('while a process that reads what is paused stands still, status says all else, and others wait to start', async (fx) => {
    const control = controlOf(fx);
    const bus = fx.bus('mailer').handle('k', () => {}, { queue: fx.name('q') });
    await bus.start();
    await control(({ pause }) => pause(fx.name('q')));
    const port = await fx.port();
    const held = await port.hold('paused');
    const status = await control(({ status: ask }) => ask());
    assert.deepEqual([status.paused, status.processes.length], [undefined, 1]);
    assert.deepEqual(
      status.queues.map(({ queue, paused }) => [queue, paused]),
      [[fx.name('q'), true]],
    );
    const impatient = fx.bus('mailer', { startDeadline: '1500ms' }).handle('k', () => {});
    await assert.rejects(
      fx.outcome(impatient.start()),
      (error) =>
        error instanceof ConnectError && /'.*paused' does not deliver its message/.test(error.message),
    );
    const later = fx.bus('mailer').handle('k', () => {}, { queue: fx.name('q') });
    const starting = later.start();
    await fx.eventually(async () =>
      assert.equal((await port.session.inspect(fx.name('paused')))?.consumers, 2),
    );
    held?.requeue();
    await fx.outcome(starting);
    assert.equal(later.health().consumers[0]?.state, 'paused');
  });

  if (!hasConnections) return;

  test('a pause that is said while a process is away reaches it with its next connection', async (fx) => {
    const control = controlOf(fx);
    const line = await fx.harness.breakableTransport?.();
    assert.ok(line);
    const seen = fx.recorder();
    const bus = fx
      .bus('mailer', { transport: fx.traced(line.transport) })
      .handle('k', seen.handle, { queue: fx.name('q') });
    await bus.start();
    const paused = watch(bus, 'consumer.paused');
    line.stall();
    line.break();
    await control(({ pause }) => pause(fx.name('q')));
    assert.deepEqual(paused, []);
    line.resume();
    await fx.eventually(() => assert.equal(paused.length, 1));
    const publisher = await fx.publisher();
    await publisher.publish('k', 'while paused');
    await control(({ resume }) => resume(fx.name('q')));
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['while paused']));
  });
};

/** The transport of a process that reads which queues are paused, and then does something else first. */
function slowToRead(transport: Transport, elsewhere: Promise<void>): Transport {
  return withSession(transport, (session) => ({
    hold: async (queue, until) => {
      const message = await session.hold(queue, until);
      await elsewhere;
      return message;
    },
  }));
}

type Publish = () => ReturnType<Session['publish']>;

/** A transport that something happens to while it publishes. */
function publishing(
  transport: Transport,
  around: (message: OutgoingMessage, publish: Publish) => ReturnType<Publish>,
): Transport {
  return withSession(transport, (session) => ({
    publish: (message) => around(message, () => session.publish(message)),
  }));
}

async function waits(fx: BusFixture, count: number): Promise<void> {
  const port = await fx.port();
  await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('q')))?.ready, count));
}
