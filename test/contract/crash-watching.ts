import assert from 'node:assert/strict';
import type { CrashVerdict, CrashWatch, WatchedSlots } from '../../src/consume/attempt/crash-watch.js';
import type { QueueOptions } from '../../src/consume/handlers/definition.js';
import type { Received } from '../../src/pipeline/received.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import type { Theme } from './theme.js';

/** Says what the test says. */
class TestWatch implements CrashWatch {
  readonly slots: WatchedSlots[] = [];
  readonly asked: (string | undefined)[] = [];
  readonly endedOnes: (string | undefined)[] = [];

  constructor(private readonly verdict: (received: Received) => Promise<CrashVerdict>) {}

  watch(slots: WatchedSlots): void {
    this.slots.push(slots);
  }

  begins(received: Received): Promise<CrashVerdict> {
    this.asked.push(received.messageId);
    return this.verdict(received);
  }

  ended({ messageId }: Received): void {
    this.endedOnes.push(messageId);
  }

  stop(): void {}
}

export const crashWatching: Theme = (test) => {
  /** A message that was delivered before, and not settled. */
  async function leaveOne(fx: BusFixture, messageId: string, queue: QueueOptions = {}): Promise<void> {
    const seen = fx.recorder(async ({ context: { signal } }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw signal.reason;
    });
    const bus = fx.bus('mailer', { stopDeadline: '400ms' }).handle('k', seen.handle, { queue });
    await bus.start();
    await bus.publish('k', messageId, { messageId });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await fx.outcome(bus.stop());
    // It goes back as a copy, by way of the shortest delay.
    const port = await fx.port();
    await fx.eventually(async () => assert.equal((await port.session.inspect(fx.name('mailer')))?.ready, 1));
  }

  test('what has crashed is dead-lettered as that, with how; neither its handler nor failed() runs, and no other is asked about', async (fx) => {
    await leaveOne(fx, 'poison');
    const seen = fx.recorder();
    const failed: unknown[] = [];
    const bus = fx.bus('mailer').handle('k', seen.handle, { failed: (error) => void failed.push(error) });
    const given = watch(bus, 'message.deadLettered');
    const its = new TestWatch(async () => ({ kind: 'crashed', deaths: ['exit code 1', 'SIGABRT'] }));
    bus.watchCrashes(its);
    await bus.start();
    await bus.publish('k', 'healthy', { messageId: 'healthy' });
    const letter = await fx.deadLetter(fx.name('mailer'));
    assert.deepEqual([letter.body.toString(), letter.properties.messageId], ['"poison"', 'poison']);
    assert.equal(letter.properties.headers['hopline-reason'], 'crashed');
    assert.match(String(letter.properties.headers['hopline-error']), /2 times: exit code 1, SIGABRT/);
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['healthy']));
    await fx.eventually(() => assert.equal(given.length, 1));
    assert.deepEqual([its.asked, its.endedOnes, failed], [['poison'], ['poison'], []]);
  });

  test('what may begin holds its place while it is asked about: nothing of its queue overtakes it', async (fx) => {
    await leaveOne(fx, 'first');
    const [answer, seen] = [deferred(), fx.recorder()];
    const bus = fx.bus('mailer').handle('k', seen.handle, { queue: { concurrency: 1 } });
    const its = new TestWatch(() => answer.promise.then(() => ({ kind: 'begin' })));
    bus.watchCrashes(its);
    await bus.start();
    for (const number of numbers(3)) await bus.publish('k', number);
    await fx.eventually(() => assert.deepEqual(its.asked, ['first']));
    assert.deepEqual([seen.payloads, its.slots.map(({ running }) => running)], [[], [1]]);
    answer.resolve();
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['first', ...numbers(3)]));
  });

  test('what is not to begin any more goes back to its queue', async (fx) => {
    await leaveOne(fx, 'waits');
    const [answer, first, second] = [deferred(), fx.recorder(), fx.recorder()];
    const bus = fx.bus('mailer').handle('k', first.handle);
    const its = new TestWatch(() => answer.promise.then(() => ({ kind: 'return' })));
    its.stop = () => answer.resolve();
    bus.watchCrashes(its);
    await bus.start();
    await fx.eventually(() => assert.deepEqual(its.asked, ['waits']));
    await fx.outcome(bus.stop());
    await fx.bus('mailer').handle('k', second.handle).start();
    await fx.eventually(() => assert.deepEqual(second.payloads, ['waits']));
    assert.deepEqual(first.payloads, []);
  });

  test('a circuit whose tried message is given up as crashed tries the next one', async (fx) => {
    const dependency = { isAway: true };
    const seen = fx.recorder(() => {
      if (dependency.isAway) throw new Error('the dependency is away');
    });
    const queue = { concurrency: 2 };
    const bus = fx.bus('mailer').handle('k', seen.handle, {
      queue,
      retry: { tries: 1 },
      circuitBreaker: { attempts: 2, pause: '3s' },
    });
    const [opened, closed] = [watch(bus, 'circuit.opened'), watch(bus, 'circuit.closed')];
    const its = new TestWatch(async () => ({ kind: 'crashed', deaths: ['exit code 1'] }));
    bus.watchCrashes(its);
    await bus.start();
    for (const number of numbers(2)) await bus.publish('k', number);
    await fx.eventually(() => assert.equal(opened.length, 1));
    await leaveOne(fx, 'poison', queue);
    await fx.eventually(() => assert.deepEqual(its.endedOnes, ['poison']), { timeout: 20_000 });
    dependency.isAway = false;
    await bus.publish('k', 'healthy');
    await fx.eventually(() => assert.deepEqual([seen.payloads.at(-1), closed.length], ['healthy', 1]));
  });

  test('while the slots are still nothing begins but what is asked about', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    const its = new TestWatch(async () => ({ kind: 'begin' }));
    bus.watchCrashes(its);
    await bus.start();
    for (const slots of its.slots) slots.setStill(true);
    await bus.publish('k', 'new');
    await fx.eventually(async () => assert.equal((await bus.workload()).waiting, 1));
    assert.deepEqual(seen.payloads, []);
    for (const slots of its.slots) slots.setStill(false);
    await fx.eventually(() => assert.deepEqual(seen.payloads, ['new']));
    assert.deepEqual(its.asked, []);
  });
};
