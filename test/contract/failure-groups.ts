import assert from 'node:assert/strict';
import { KeptDocument } from '../../src/kept/kept-document.js';
import type { Failures } from '../../src/operate.js';
import { deferred } from '../../src/util/deferred.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

/** A service with a handler that fails in two ways, and another that fails in a third. */
async function failing(fx: BusFixture) {
  const bus = fx.bus('shop', { version: '1.4.2' });
  const options = { retry: { tries: 1 } } as const;
  const bill = (payload: { id: number; late?: boolean }) => {
    throw payload.late
      ? new RangeError(`order ${payload.id} came late`)
      : new TypeError(`no order ${payload.id}`);
  };
  const mail = () => {
    throw new Error('no mailbox');
  };
  bus.handle('bill', bill, options).handle('mail', mail, options);
  await bus.start();
  const desk = await fx.failures('shop');
  const fail = async (key: string, ids: readonly number[], more: object = {}) => {
    const before = (await desk.count())[0]?.count ?? 0;
    for (const id of ids) await bus.publish(key, { id, ...more }, { messageId: `${key}-${id}` });
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, before + ids.length));
  };
  return { bus, desk, fail, index: desk.index({ countEveryMs: 100, readEveryMs: 500 }) };
}

/** A session that counts how often it was asked whether a queue is there. */
async function counted(fx: BusFixture) {
  const { session } = await fx.port();
  let looks = 0;
  const port = Object.create(session, {
    inspect: {
      value: (queue: string) => {
        looks += 1;
        return session.inspect(queue);
      },
    },
  }) as typeof session;
  return { port, looks: () => looks };
}

const summed = async (index: ReturnType<Failures['index']>) =>
  (await index.groups())
    .map(({ kind, message, handler, count }) => `${kind}: ${message} (${handler}) ${count}`)
    .toSorted();

export const failureGroups: Theme = (test) => {
  test('dead letters that failed in the same way are one group, and each is found by what it carries', async (fx) => {
    const { desk, fail, index } = await failing(fx);
    await fail('bill', [1, 2, 3]);
    await fail('bill', [4], { late: true });
    await fail('mail', [5]);
    assert.deepEqual([index.state.state, index.letters().count], ['empty', 0]);
    await fx.outcome(index.refresh());
    assert.equal(index.state.state, 'current', index.state.problem);
    assert.deepEqual(await summed(index), [
      'Error: no mailbox (mail) 1',
      'RangeError: order ‹number› came late (bill) 1',
      'TypeError: no order ‹number› (bill) 3',
    ]);
    const groups = await index.groups();
    const times = groups.map(({ lastAt }) => lastAt?.getTime() ?? assert.fail('no time'));
    assert.deepEqual(
      times,
      times.toSorted((left, right) => right - left),
    );
    const first = groups.find(({ kind }) => kind === 'TypeError') ?? assert.fail('no group');
    assert.ok(first.firstAt && first.lastAt && first.firstAt <= first.lastAt);
    assert.equal(first.since, '1.4.2');
    assert.deepEqual(first.deadQueues, [fx.name('shop.dead')]);
    assert.deepEqual(first.sparkline.toSpliced(-1), new Array(23).fill(0));
    assert.equal(first.sparkline.at(-1), 3);
    const ids = (asked: object) => index.letters(asked).letters.map(({ id }) => id);
    assert.deepEqual(ids({ group: first.id }), ['bill-3', 'bill-2', 'bill-1']);
    assert.deepEqual(ids({ group: first.id, offset: 1, limit: 1 }), ['bill-2']);
    assert.deepEqual(ids({ text: 'NO MAIL' }), ['mail-5']);
    assert.deepEqual(ids({ text: 'bill-4' }), ['bill-4']);
    assert.deepEqual(ids({ text: 'bill.4' }), []);
    assert.deepEqual(ids({ queue: fx.name('other') }), []);
    assert.equal((await desk.list()).length, 5, 'all are where they were');
  });

  test('a letter that comes later is heard of from its worker, without reading the others again', async (fx) => {
    const { bus, desk, fail, index } = await failing(fx);
    await fail('bill', [1]);
    await fx.outcome(index.refresh());
    const { readAt } = index.state;
    let id = 1;
    await fx.eventually(async () => {
      id += 1;
      await bus.publish('bill', { id }, { messageId: `bill-${id}` });
      await fx.eventually(() => assert.ok(index.letters({ text: `bill-${id}` }).count === 1), {
        timeout: 1_000,
      });
    });
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, id));
    assert.equal(index.state.readAt, readAt);
    const [heard] = index.letters({ text: `bill-${id}` }).letters;
    await fx.outcome(index.refresh({ force: true }));
    const [read] = index.letters({ text: `bill-${id}` }).letters;
    assert.deepEqual(heard, read);
    assert.deepEqual(await summed(index), [`TypeError: no order ‹number› (bill) ${id}`]);
  });

  test('a group that was resolved is back once it fails again, also for who opens it later', async (fx) => {
    const { fail, index } = await failing(fx);
    await fail('bill', [1, 2]);
    await fx.outcome(index.refresh());
    const [group] = await index.groups();
    assert.ok(group);
    assert.deepEqual([group.state, group.note], ['open', undefined]);
    await fx.outcome(index.mark(group.id, { state: 'seen', note: 'asked Ann' }, 'bob'));
    await fx.outcome(index.mark(group.id, { state: 'resolved' }, 'ann'));
    const marked = await index.group(group.id);
    assert.deepEqual([marked?.state, marked?.note, marked?.by], ['resolved', 'asked Ann', 'ann']);
    await fx.eventually(() => assert.ok(fx.harness.clock.now() > (marked?.at ?? 0)));
    await fail('bill', [3]);
    const later = (await fx.failures('shop')).index();
    await fx.outcome(later.refresh());
    const back = await later.group(group.id);
    assert.deepEqual([back?.state, back?.count, back?.note], ['back', 3, 'asked Ann']);
    await fx.outcome(later.mark(group.id, { note: ' ' }, 'ann'));
    assert.equal((await later.group(group.id))?.note, undefined);
    await assert.rejects(
      fx.outcome(later.mark('nothing', { state: 'seen' }, 'ann')),
      /no dead letters in group 'nothing'/,
    );
    await assert.rejects(
      later.mark(group.id, { state: 'back' as 'seen' }, ''),
      /expected state to be .* who says so/s,
    );
    await fx.outcome(Promise.all([index.close(), later.close()]));
  });

  test('letters that leave are left out, and where others take them the index finds that it is stale', async (fx) => {
    const { desk, fail, index } = await failing(fx);
    await fail('bill', [1, 2, 3]);
    await fx.outcome(index.refresh());
    await fx.outcome(
      desk.forget(['bill-1'], { onProgress: ({ letter }) => index.left(letter.deadQueue, [letter.id]) }),
    );
    assert.deepEqual(
      index.letters().letters.map(({ id }) => id),
      ['bill-3', 'bill-2'],
    );
    await fx.outcome(index.refresh({ force: true }));
    assert.equal(index.letters().count, 2);
    await fx.foreign.take(fx.name('shop.dead'));
    await fx.eventually(async () => {
      await index.refresh();
      assert.equal(index.letters().count, 0);
    });
    assert.equal(index.state.state, 'current');
  });

  test('who has a queue for long keeps only that queue from being read', async (fx) => {
    const { bus, fail, desk, index } = await failing(fx);
    await fail('bill', [1]);
    await fx.outcome(index.refresh());
    const done = deferred<void>();
    const working = desk.turns.run(fx.name('shop.dead'), () => done.promise);
    const other = fx
      .bus('mailer')
      .handle('letter', () => Promise.reject(new Error('no')), { retry: { tries: 1 } });
    await other.start();
    await bus.publish('letter', {}, { messageId: 'letter-1' });
    const both = await fx.failures('shop', 'mailer');
    await fx.eventually(async () => assert.equal((await both.count())[1]?.count, 1));
    const busy = both.turns.run(fx.name('shop.dead'), () => done.promise);
    const wide = both.index();
    await fx.outcome(Promise.all([wide.refresh(), index.refresh({ force: true })]));
    assert.deepEqual(
      wide.letters().letters.map(({ id }) => id),
      ['letter-1'],
    );
    assert.equal(wide.state.state, 'stale', 'one queue was not read');
    assert.deepEqual([index.letters().count, index.state.problem], [1, undefined]);
    done.resolve();
    await Promise.all([working, busy]);
    await fx.outcome(wide.refresh());
    assert.deepEqual([wide.letters().count, wide.state.state], [2, 'current']);
  });

  test('whoever asks for a fresh reading while one is under way gets one that began after that', async (fx) => {
    const { fail } = await failing(fx);
    await fail('bill', [1, 2]);
    const both = await fx.failures('shop', 'mailer');
    const held = deferred<void>();
    const working = both.turns.run(fx.name('mailer.dead'), () => held.promise);
    const index = both.index({ listens: false });
    const first = index.refresh();
    await fx.eventually(() => assert.equal(index.letters().count, 2));
    await fx.foreign.take(fx.name('shop.dead'));
    const fresh = index.refresh({ force: true });
    held.resolve();
    await fx.outcome(Promise.all([working, first, fresh]));
    assert.equal(index.letters().count, 0);
  });

  test('the mark of a replay counts only where a publisher can not have written it', async (fx) => {
    const { desk, fail, index } = await failing(fx);
    await fail('bill', [1]);
    await fx.foreign.publish({
      exchange: '',
      routingKey: fx.name('shop.dead'),
      body: '{}',
      properties: { messageId: 'forged', headers: { 'hopline-replay': '{"id":"abc","once":true}' } },
    });
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 2));
    await fx.outcome(index.refresh());
    const forged = index.letters().letters.find(({ id }) => id === 'forged');
    assert.deepEqual([forged?.id, forged?.replay], ['forged', undefined]);
  });

  test('what nobody has noted of groups yet is not looked for again and again', async (fx) => {
    const { port, looks } = await counted(fx);
    const document = new KeptDocument({
      ...{ session: port, clock: fx.harness.clock, queue: fx.names.groups, empty: [] as unknown },
      decode: (content) => content,
    });
    for (let time = 0; time < 3; time += 1) assert.deepEqual(await fx.outcome(document.read()), []);
    assert.equal(looks(), 1);
    await fx.outcome(document.change(() => ['a']));
    assert.deepEqual(await fx.outcome(document.read()), ['a']);
  });

  test('more letters than it has room for are counted', async (fx) => {
    const { desk, fail } = await failing(fx);
    await fail('bill', [1, 2, 3, 4]);
    const index = desk.index({ most: 3 });
    await fx.outcome(index.refresh());
    const full = [3, 1, 'current'];
    assert.deepEqual([index.state.letters, index.state.leftOut, index.state.state], full);
    await fx.outcome(index.refresh({ force: true }));
    assert.deepEqual([index.state.letters, index.state.leftOut, index.state.state], full);
  });
};
