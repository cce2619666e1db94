import assert from 'node:assert/strict';
import type { HandleOptions } from '../../src/consume/handlers/definition.js';
import {
  type Bus,
  defineMessage,
  JobFailedError,
  JobTimeoutError,
  JobUnknownError,
  NameTakenError,
  NotReschedulableError,
  OptionsError,
  type SentJob,
  type Stores,
  staticKeys,
  UnroutableError,
} from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { deferred } from '../../src/util/deferred.js';
import { type BusFixture, type Call, watch } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

const encode = defineMessage<{ video: number }>('video.encode');

const track = true;

export const jobs: Theme = (test) => {
  test('a tracked send is waiting, runs, tells how far it is, and resolves with what its handler has returned', async (fx) => {
    const [begun, end] = [deferred(), deferred()];
    const { stores, sender } = await parts(fx);
    const job = await sender.send(encode, { video: 1 }, { track, tags: ['order:7', 'video'] });
    assert.deepEqual([job.id, job.confirmed, job.dueAt], [job.messageId, true, undefined]);
    const { state, attempt, tags, service, routingKey } = (await job.status()) ?? {};
    const known = { state: 'waiting', attempt: 0, tags: ['order:7', 'video'], service: fx.name('publisher') };
    assert.deepEqual({ state, attempt, tags, service, routingKey }, { ...known, routingKey: 'video.encode' });
    await worker(fx, stores, async ({ context }) => {
      context.progress(10);
      context.progress(40, 'encoding');
      begun.resolve();
      await end.promise;
      context.progress(100);
      return { minutes: 7, at: new Date(0) };
    });
    await fx.outcome(begun.promise);
    await fx.eventually(async () => {
      const status = await job.status();
      assert.equal(status?.progress?.note, 'encoding');
      assert.deepEqual([status?.progress?.percent, status?.state, status?.attempt], [40, 'running', 1]);
      assert.deepEqual(
        [status?.run?.pid, status?.queue, status?.handler],
        [process.pid, fx.name('worker'), 'handle'],
      );
    });
    end.resolve();
    const result = { minutes: 7, at: '1970-01-01T00:00:00.000Z' };
    assert.deepEqual(await fx.outcome(job.result()), result);
    assert.deepEqual(await fx.outcome(job.result()), result, 'as often as it is asked for');
    const ended = await job.status();
    assert.deepEqual([ended?.state, ended?.result, ended?.run], ['done', result, undefined]);
    assert.equal(ended?.progress?.percent, 100, 'the last note counts');
    assert.ok(ended?.startedAt && ended.endedAt && ended.endedAt >= ended.startedAt);
    assert.deepEqual(
      (await sender.findJobs({ tag: 'order:7' })).map(({ id }) => id),
      [job.id],
    );
  });

  test('another process that knows the stores finds a job by its id and waits for its result', async (fx) => {
    const gate = deferred();
    const { stores, sender } = await parts(fx);
    await worker(fx, stores, () => gate.promise.then(() => 'made'));
    const { id } = await sender.send(encode, { video: 1 }, { track });
    const other = await fx.publisher({ stores });
    const found = await other.findJob(id);
    assert.equal(found?.id, id);
    await assert.rejects(fx.outcome(found?.result({ timeout: '50ms' }) as Promise<unknown>), JobTimeoutError);
    gate.resolve();
    assert.equal(await fx.outcome(found?.result() as Promise<unknown>), 'made');
    assert.equal(await other.findJob('unknown'), undefined);
    const unknown = await other.findJob(id);
    assert.equal(await unknown?.cancel(), 'ended');
  });

  test('each end has its word: discarded, dead-lettered with its reason, a result that JSON can not hold', async (fx) => {
    const { stores, sender } = await parts(fx);
    const bigint = { value: 1n };
    await worker(
      fx,
      stores,
      ({ payload, context }) => {
        const { video } = payload as { video: number };
        if (video === 1) context.discard();
        if (video === 2) throw new Error('no codec');
        return video === 3 ? bigint : 'x'.repeat(100_000);
      },
      { retry: { tries: 1 } },
    );
    const sent = await Promise.all([1, 2, 3, 4].map((video) => sender.send(encode, { video }, { track })));
    const ends = await Promise.all(sent.map((job) => fx.outcome(job.result().catch((error) => error))));
    assert.ok(ends.every((end) => end instanceof JobFailedError));
    assert.deepEqual(
      (ends as JobFailedError[]).map(({ failure, reason }) => [failure, reason]),
      [
        ['discarded', undefined],
        ['dead-lettered', 'exhausted'],
        ['result-lost', undefined],
        ['result-lost', undefined],
      ],
    );
    assert.match((ends[1] as Error).message, /Error: no codec/);
    const letter = await sent[1]?.status();
    assert.deepEqual([letter?.state, letter?.deadQueue], ['dead-lettered', `${fx.name('worker')}.dead`]);
    assert.deepEqual(
      (await sender.findJobs({ state: 'dead-lettered' })).map(({ id }) => id),
      [sent[1]?.id],
    );
    const large = await sent[3]?.status();
    assert.match(large?.resultProblem ?? '', /100002 bytes/);
    await fx.deadLetter(fx.name('worker'));
  });

  test('a replayed dead letter goes on under its record', async (fx) => {
    const { stores, sender } = await parts(fx);
    let isMended = false;
    await worker(
      fx,
      stores,
      () => {
        if (!isMended) throw new Error('not yet');
        return 'mended';
      },
      { retry: { tries: 1 } },
    );
    const job = await sender.send(encode, { video: 1 }, { track });
    await assert.rejects(fx.outcome(job.result()), { failure: 'dead-lettered' });
    isMended = true;
    const failures = await fx.failures('worker');
    await fx.outcome(failures.retry({}));
    await fx.eventually(async () => assert.equal((await job.status())?.state, 'done'));
    assert.equal(await fx.outcome(job.result()), 'mended');
    assert.equal((await job.status())?.reason, undefined);
  });

  test('a job that comes back says when, and with which error, and events tell each change', async (fx) => {
    const { stores, sender } = await parts(fx);
    const begin = deferred();
    const { seen } = await worker(
      fx,
      stores,
      async ({ attempt }) => {
        if (attempt === 2) return 'at last';
        await begin.promise;
        throw new Error('no disk');
      },
      { retry: { tries: 2, backoff: '2s' } },
    );
    const job = await sender.send(encode, { video: 1 }, { track, delay: '200ms' });
    const told: string[] = [];
    const telling = (async () => {
      for await (const { state, error } of job.events()) {
        told.push(error ? `${state}: ${error}` : state);
        if (state === 'running') begin.resolve();
      }
    })();
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    await fx.outcome(telling);
    assert.equal(await fx.outcome(job.result()), 'at last');
    assert.equal(told[0], 'delayed');
    assert.ok(told.includes('delayed: Error: no disk'), told.join());
    assert.equal(told.at(-1), 'done: Error: no disk');
  });

  test('what waits or is delayed is taken back: it is dropped when it arrives, and skipped to listeners', async (fx) => {
    const { stores, sender } = await parts(fx);
    const [delayed, waiting] = await Promise.all([
      sender.send(encode, { video: 1 }, { track, delay: '300ms' }),
      sender.send(encode, { video: 2 }, { name: 'invoice-17' }),
    ]);
    assert.equal(await sender.cancel(delayed.id), 'cancelled');
    assert.equal(await sender.cancel('invoice-17'), 'cancelled');
    assert.equal(await sender.cancel('nobody'), undefined);
    await assert.rejects(fx.outcome(delayed.result()), { failure: 'cancelled' });
    const { bus, seen } = await worker(fx, stores);
    const skipped = watch(bus, 'message.skipped');
    const last = await sender.send(encode, { video: 3 }, { track, delay: '600ms' });
    await fx.outcome(last.result());
    assert.deepEqual(seen.payloads, [{ video: 3 }]);
    assert.equal(skipped.length, 2);
    assert.equal((await waiting.status())?.state, 'cancelled');
  });

  test('a job that runs is not taken back, but does not come back; with abort its signal fires', async (fx) => {
    const { stores, sender } = await parts(fx);
    const gates = [deferred(), deferred()];
    const { seen } = await worker(
      fx,
      stores,
      async ({ payload, context }) => {
        const { video } = payload as { video: number };
        if (video === 2)
          await new Promise((_resolve, reject) => {
            context.signal.addEventListener('abort', () => reject(context.signal.reason));
          });
        await gates[0]?.promise;
        throw new Error('once more');
      },
      { retry: { tries: 5, backoff: '100ms' } },
    );
    const job = await sender.send(encode, { video: 1 }, { track });
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
    assert.equal(await job.cancel(), 'running');
    assert.equal((await job.status())?.isCancelling, true);
    gates[0]?.resolve();
    await assert.rejects(fx.outcome(job.result()), { failure: 'cancelled' });
    assert.equal(seen.calls.length, 1);
    const aborted = await sender.send(encode, { video: 2 }, { track });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.equal(await fx.outcome(aborted.cancel({ abort: true })), 'running');
    await assert.rejects(fx.outcome(aborted.result()), { failure: 'dead-lettered', reason: 'cancelled' });
    await fx.deadLetter(fx.name('worker'));
  });

  test('a name is had by one job at a time, and is free when that has ended or could not be sent', async (fx) => {
    const { stores, sender } = await parts(fx);
    const unbound = sender.send('nobody.takes', 1, { name: 'report' });
    await assert.rejects(fx.outcome(unbound), UnroutableError);
    const first = await sender.send(encode, { video: 1 }, { name: 'report' });
    const refused = sender.send(encode, { video: 2 }, { name: 'report' });
    await assert.rejects(refused, (error) => error instanceof NameTakenError && error.holder === first.id);
    assert.deepEqual(
      (await sender.scheduled()).map(({ name }) => name),
      ['report'],
    );
    const { seen } = await worker(fx, stores);
    await fx.outcome(first.result());
    const second = await sender.send(encode, { video: 3 }, { name: 'report' });
    await fx.outcome(second.result());
    assert.deepEqual(seen.payloads, [{ video: 1 }, { video: 3 }]);
    assert.equal((await sender.findJob('report'))?.id, second.id);
    assert.deepEqual(await sender.scheduled(), []);
  });

  test('a named job is moved, to an earlier moment and to a later one, and runs once', async (fx) => {
    const { stores, sender } = await parts(fx);
    const { bus, seen } = await worker(fx, stores);
    const skipped = watch(bus, 'message.skipped');
    const send = (video: number, name: string, delay: string) =>
      sender.send(encode, { video }, { name, delay: delay as '1s', tags: ['moved'] });
    const earlier = await send(1, 'earlier', '10m');
    const later = await send(2, 'later', '300ms');
    await sender.reschedule('earlier', '100ms');
    await sender.reschedule('later', '900ms');
    const moved = await sender.reschedule('later', '600ms');
    assert.deepEqual((await later.status())?.dueAt, moved);
    await fx.outcome(later.result());
    await fx.outcome(earlier.result());
    await fx.eventually(() => assert.equal(skipped.length, 2));
    assert.deepEqual(seen.payloads, [{ video: 1 }, { video: 2 }]);
    await assert.rejects(sender.reschedule('later', '1s'), NotReschedulableError);
    await assert.rejects(sender.reschedule('nobody', '1s'), JobUnknownError);
    const tracked = await sender.send(encode, { video: 3 }, { track, delay: '1m' });
    await assert.rejects(sender.reschedule(tracked.id, '1s'), OptionsError);
    await assert.rejects(sender.reschedule('later', 'soon' as '1s'), OptionsError);
  });

  test('an older sending of a moved job does not end it, even where it is refused before it is looked up', async (fx) => {
    const gate = deferred();
    const { stores, sender } = await parts(fx);
    const { bus, seen } = await worker(fx, stores, () => gate.promise, {
      concurrency: { limit: 1, by: () => 'all', skip: true },
    });
    const skipped = watch(bus, 'message.skipped');
    const job = await sender.send(encode, { video: 1 }, { name: 'moved', delay: '300ms' });
    await sender.reschedule('moved', '2s');
    await sender.send(encode, { video: 2 });
    await fx.eventually(() => assert.equal(skipped.length, 1));
    gate.resolve();
    await fx.outcome(job.result());
    assert.deepEqual(seen.payloads, [{ video: 2 }, { video: 1 }]);
  });

  test('what was taken back stays so when its id is sent again in vain, and what waits keeps its name', async (fx) => {
    const { stores, sender } = await parts(fx);
    const again = (messageId: string) =>
      assert.rejects(fx.outcome(sender.send('nobody.takes', 1, { track, messageId })), UnroutableError);
    const [taken, waiting] = await Promise.all([
      sender.send(encode, { video: 1 }, { track }),
      sender.send(encode, { video: 2 }, { name: 'report' }),
    ]);
    assert.equal(await taken.cancel(), 'cancelled');
    await again(taken.id);
    await again(waiting.id);
    await assert.rejects(sender.send(encode, { video: 3 }, { name: 'report' }), NameTakenError);
    const { seen } = await worker(fx, stores);
    await fx.outcome(waiting.result());
    await fx.outcome((await sender.send(encode, { video: 4 }, { track })).result());
    assert.deepEqual(seen.payloads, [{ video: 2 }, { video: 4 }]);
  });

  test('a job that waits for its next try is moved, and begins anew', async (fx) => {
    const { stores, sender } = await parts(fx);
    const { bus, seen } = await worker(
      fx,
      stores,
      () => {
        if (seen.calls.length < 3) throw new Error('not yet');
      },
      { retry: { tries: 2, backoff: '1s' } },
    );
    const [skipped, released] = [watch(bus, 'message.skipped'), watch(bus, 'message.retried')];
    const job = await sender.send(encode, { video: 1 }, { name: 'encode-1' });
    await fx.eventually(() => assert.equal(released.length, 1));
    await fx.eventually(async () => assert.equal((await job.status())?.state, 'delayed'));
    await sender.reschedule('encode-1', '100ms');
    await fx.outcome(job.result());
    await fx.eventually(() => assert.equal(skipped.length, 1));
    assert.deepEqual(seen.attempts, [1, 1, 2]);
  });

  test('those that should arrive do, each once, of hundreds of which half are cancelled and a tenth moved', async (fx) => {
    const { stores, sender } = await parts(fx);
    const { bus, seen } = await worker(fx, stores, undefined, { concurrency: 50 });
    const skipped = watch(bus, 'message.skipped');
    const count = 200;
    const names = Array.from({ length: count }, (_none, n) => `n${n}`);
    await Promise.all(
      names.map((name, n) => sender.send(encode, { video: n }, { name, delay: 2_000 + (n % 7) * 100 })),
    );
    const isCancelled = (n: number) => n % 2 === 0;
    const isMoved = (n: number) => n % 10 === 1;
    await Promise.all(
      names.map(async (name, n) => {
        if (isMoved(n)) await sender.reschedule(name, n % 20 === 1 ? '1s' : '3s');
        if (isCancelled(n)) assert.equal(await sender.cancel(name), 'cancelled');
      }),
    );
    const wanted = names.flatMap((_name, n) => (isCancelled(n) ? [] : [n]));
    await fx.eventually(() => assert.equal(skipped.length, count / 2 + count / 10), { timeout: 20_000 });
    await fx.eventually(() => assert.ok(seen.calls.length >= wanted.length));
    const arrived = seen.payloads.map((payload) => (payload as { video: number }).video);
    assert.deepEqual(
      arrived.toSorted((one, other) => one - other),
      wanted,
    );
  });

  test('what makes no sense is refused before anything is sent', async (fx) => {
    const { sender } = await parts(fx);
    const untracked = await fx.publisher({
      stores: { ...memoryStores(fx.harness.clock), jobs: undefined } as unknown as Stores,
    });
    const refused = async (sent: Promise<unknown>, problem: RegExp) => {
      await assert.rejects(sent, (error) => error instanceof OptionsError && problem.test(error.message));
    };
    await refused(sender.publish('video.encode', 1, { track }), /only in send\(\)/);
    await refused(sender.send('video.encode', 1, { tags: ['a'] }), /tags and keep only with/);
    await refused(sender.send('video.encode', 1, { track, tags: [''] }), /tags/);
    await refused(sender.send('video.encode', 1, { track, messageId: 'a\0b' }), /messageId/);
    await refused(sender.sendMany('video.encode', [1], { track } as object), /track to be left out, since/);
    await refused(
      sender.chain([{ key: 'a.b', payload: 1, track } as never]).dispatch(),
      /track to be left out/,
    );
    await refused(untracked.send('video.encode', 1, { track }), /stores\.jobs/);
    await refused(untracked.findJobs(), /stores\.jobs/);
    await refused(sender.findJobs({ atMost: 0 }), /atMost/);
    await assert.rejects(
      sender.send('video.encode', 1, { name: 'a', expiration: '1s' }),
      /named message can't have expiration/,
    );
  });

  test('a send of a handler that publishes after its attempt is tracked when it leaves', async (fx) => {
    const { stores, sender } = await parts(fx);
    const { bus } = { bus: fx.bus('maker', { stores }) };
    const made: SentJob[] = [];
    bus.handle(
      'video.make',
      async (_payload, context) => {
        made.push(await context.send(encode, { video: 1 }, { track }));
      },
      { publishes: 'after' },
    );
    await bus.start();
    await worker(fx, stores, () => 'encoded');
    await sender.send('video.make', 1);
    await fx.eventually(() => assert.equal(made.length, 1));
    assert.equal(made[0]?.confirmed, false);
    await fx.eventually(async () => assert.ok(await made[0]?.status()));
    assert.equal(await fx.outcome(made[0]?.result() as Promise<unknown>), 'encoded');
  });

  test('the result of an encrypted job is encrypted in its record, and read by who has the key', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const encryption = {
      keys: staticKeys({ current: 'k1', keys: { k1: Buffer.alloc(32, 7).toString('base64') } }),
    };
    const seen = fx.recorder(() => ({ secret: 'of 7' }));
    const bus = fx.bus('worker', { stores, encryption }).handle(encode, seen.handle);
    await bus.start();
    const job = await bus.send(encode, { video: 1 }, { track, encrypted: true });
    assert.deepEqual(await fx.outcome(job.result()), { secret: 'of 7' });
    assert.deepEqual((await job.status())?.result, { secret: 'of 7' });
    const [stored] = (await stores.jobs?.find([job.id])) ?? [];
    assert.doesNotMatch(JSON.stringify(stored), /of 7/);
    const without = await (await fx.publisher({ stores })).findJob(job.id);
    const status = await without?.status();
    assert.deepEqual([status?.state, status?.result], ['done', undefined]);
    assert.match(status?.resultProblem ?? '', /k1/);
  });

  test('a handled job whose end can not be stored is not run again when its bus stops', async (fx) => {
    const { stores, sender } = await parts(fx);
    const records = stores.jobs as NonNullable<Stores['jobs']>;
    const end = () => Promise.reject(new Error('away'));
    const away = { ...stores, jobs: Object.assign(Object.create(records), { end }) as typeof records };
    const first = await worker(fx, away);
    await sender.send(encode, { video: 1 }, { track });
    await fx.eventually(() =>
      assert.ok(fx.log.some(({ message }) => /^the end of a job cannot/.test(message))),
    );
    await fx.outcome(first.bus.stop({ deadline: '2s' }).catch(() => {}));
    const next = await worker(fx, stores);
    const job = await sender.send(encode, { video: 2 }, { track });
    await fx.outcome(job.result());
    assert.deepEqual([first.seen.payloads, next.seen.payloads], [[{ video: 1 }], [{ video: 2 }]]);
  });

  test('a message without a record is handled, and one whose store is away waits for it', async (fx) => {
    const clock = fx.harness.clock;
    const others = memoryStores(clock);
    const own = memoryStores(clock);
    let isAway = true;
    const jobsOf = own.jobs as NonNullable<Stores['jobs']>;
    const begin: typeof jobsOf.begin = (begins) =>
      isAway ? Promise.reject(new Error('away')) : jobsOf.begin(begins);
    const stores = { ...own, jobs: Object.assign(Object.create(jobsOf), { begin }) as typeof jobsOf };
    const { seen } = await worker(fx, stores);
    const sender = await fx.publisher({ stores: others });
    await sender.send(encode, { video: 1 }, { track });
    await fx.eventually(() =>
      assert.ok(fx.log.some(({ message }) => /whether it was cancelled/.test(message))),
    );
    assert.equal(seen.calls.length, 0);
    isAway = false;
    await fx.eventually(() => assert.deepEqual(seen.payloads, [{ video: 1 }]), { timeout: 15_000 });
  });
};

/** Stores, and a bus that sends; the queue of the worker is there already. */
async function parts(fx: BusFixture): Promise<{ stores: Stores; sender: Bus }> {
  const stores = memoryStores(fx.harness.clock);
  const before = fx.bus('worker').handle(encode, () => {});
  await before.start();
  await fx.stop(before);
  return { stores, sender: await fx.publisher({ stores }) };
}

async function worker(
  fx: BusFixture,
  stores: Stores,
  then?: (call: Call) => unknown,
  options: HandleOptions = {},
) {
  const seen = fx.recorder(then);
  const bus = fx.bus('worker', { stores }).handle(encode, seen.handle, options);
  await bus.start();
  return { bus, seen };
}
