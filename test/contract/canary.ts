import assert from 'node:assert/strict';
import { OperationConflictError } from '../../src/errors.js';
import type { Operation, OperationRequest } from '../../src/failures/operations/operation.js';
import { type MessageContext, OptionsError } from '../../src/index.js';
import { encodeReport } from '../../src/message/wire/replay-report.js';
import { deferred } from '../../src/util/deferred.js';
import type { BusFixture } from '../support/bus-fixture.js';
import type { Theme } from './theme.js';

function noOrder(id: number): never {
  throw new TypeError(`no order ${id}`);
}

/** A service whose handler fails until it is mended, and an operator with the index of what it has given up. */
async function failing(fx: BusFixture, letters: number) {
  const state = { handle: (id: number, _context: MessageContext): unknown => noOrder(id) };
  const seen = fx.recorder(({ payload, context }) => state.handle((payload as { id: number }).id, context));
  const bus = fx.bus('shop').handle('bill', seen.handle, { retry: { tries: 1 } });
  await bus.start();
  const operator = await operatorOf(fx);
  const counting = await fx.failures('shop');
  const count = async () => (await counting.count())[0]?.count;
  const ids = Array.from({ length: letters }, (_, index) => index + 1);
  await Promise.all(ids.map((id) => bus.publish('bill', { id }, { messageId: `m${id}` })));
  await fx.eventually(async () => assert.equal(await count(), letters));
  seen.calls.length = 0;
  await fx.outcome(operator.index.refresh());
  const [group] = await fx.outcome(operator.index.groups());
  return { bus, seen, state, count, ...operator, group: group?.id ?? assert.fail('no group') };
}

async function operatorOf(fx: BusFixture, takesOn = false) {
  const desk = await fx.failures('shop');
  const index = desk.index({ countEveryMs: 100, readEveryMs: 500 });
  const operations = desk.operations(index, { takesOn });
  const toEnd = async (request: OperationRequest): Promise<Operation> => {
    const { id } = await fx.outcome(operations.begin(request, 'ann'));
    return await fx.outcome(operations.ended(id));
  };
  return { desk, index, operations, toEnd };
}

const told = ({ state, total, done, failed, canary }: Operation) => ({
  state,
  total,
  done,
  failed,
  ...canary,
});

const canaryOf = (group: string, more: Partial<OperationRequest> = {}): OperationRequest => ({
  ...{ kind: 'canary', selection: { group }, rate: 1_000, ...more },
});

export const canaries: Theme = (test) => {
  test('a canary of what is mended replays one, ten and the rest, each handled once', async (fx) => {
    const { seen, state, count, group, toEnd, index } = await failing(fx, 14);
    state.handle = () => {};
    const ended = await toEnd(canaryOf(group));
    assert.equal(ended.why, undefined);
    const counts = { handled: 14, cameBack: 0, failedOtherwise: 0, unheard: 0 };
    assert.deepEqual(told(ended), {
      state: 'done',
      total: 14,
      done: 14,
      failed: 0,
      stage: 'rest',
      ...counts,
    });
    assert.equal(new Set(seen.payloads.map((payload) => (payload as { id: number }).id)).size, 14);
    assert.equal(seen.calls.length, 14);
    assert.equal(await count(), 0);
    assert.equal(index.letters().count, 0);
  });

  test('a canary of what is not mended stops with its first replay, which is a dead letter again', async (fx) => {
    const { seen, count, group, toEnd, desk } = await failing(fx, 14);
    const ended = await toEnd(canaryOf(group));
    assert.match(ended.why ?? '', /^the same failure came back: TypeError: no order \d+$/);
    const counts = { handled: 0, cameBack: 1, failedOtherwise: 0, unheard: 0 };
    assert.deepEqual(told(ended), {
      state: 'stopped',
      total: 14,
      done: 1,
      failed: 0,
      stage: 'one',
      ...counts,
    });
    assert.equal(seen.calls.length, 1);
    await fx.eventually(async () => assert.equal(await count(), 14));
    const back = (await fx.outcome(desk.list())).at(-1);
    const [letter] = await fx.outcome(desk.get(back?.id ?? ''));
    assert.equal(letter?.replay, ended.id);
  });

  test('a canary whose first replay is discarded stops: nothing was handled', async (fx) => {
    const { state, group, toEnd, count } = await failing(fx, 3);
    state.handle = (_id, context) => context.discard();
    const ended = await toEnd(canaryOf(group));
    assert.match(ended.why ?? '', /it was discarded, by its handler or its policy$/);
    assert.deepEqual([ended.state, ended.canary?.failedOtherwise, await count()], ['stopped', 1, 2]);
  });

  test('a canary stops in its second stage when one of the ten fails in another way', async (fx) => {
    const { seen, state, group, toEnd } = await failing(fx, 30);
    state.handle = () => {
      if (seen.calls.length > 4) throw new RangeError('too late');
    };
    const ended = await toEnd(canaryOf(group));
    assert.match(ended.why ?? '', /^a replay failed in another way than before: RangeError: too late$/);
    assert.deepEqual([ended.state, ended.canary?.stage, ended.canary?.cameBack], ['stopped', 'ten', 0]);
    assert.ok(ended.done <= 11, `${ended.done} were replayed`);
  });

  test('a canary stops in the rest when the failure comes back now and then', async (fx) => {
    const { state, seen, group, toEnd, count } = await failing(fx, 60);
    state.handle = (id) => (seen.calls.length > 11 && id % 5 === 0 ? noOrder(id) : undefined);
    const ended = await toEnd(canaryOf(group, { rate: 100 }));
    assert.match(ended.why ?? '', /^the same failure came back 3 times: TypeError/);
    assert.deepEqual([ended.state, ended.canary?.stage], ['stopped', 'rest']);
    assert.ok(ended.done < 60, 'some stay');
    await fx.eventually(async () => assert.ok(((await count()) ?? 0) >= 60 - ended.done));
  });

  test('a canary that no worker reports on in time stops, and says what to look at', async (fx) => {
    const { state, seen, group, toEnd } = await failing(fx, 3);
    const gate = deferred<void>();
    state.handle = () => gate.promise;
    const ended = await toEnd(canaryOf(group, { reportWithin: '500ms' }));
    assert.match(ended.why ?? '', /^no worker has reported on a replay for 500 ?ms: none may run/);
    assert.deepEqual([ended.state, ended.done, ended.canary?.unheard], ['stopped', 1, 1]);
    assert.equal(seen.calls.length, 1);
    gate.resolve();
  });

  test('a canary of what nobody consumes replays nothing', async (fx) => {
    const { bus, group, toEnd, count } = await failing(fx, 3);
    await fx.stop(bus);
    const ended = await toEnd(canaryOf(group));
    assert.match(ended.why ?? '', /^nobody consumes queue '.*shop': start its workers, or resume it/);
    assert.deepEqual([ended.state, ended.done], ['stopped', 0]);
    assert.equal(await count(), 3);
  });

  test('what anybody else says of a replay is not believed', async (fx) => {
    const { group, operations, count } = await failing(fx, 3);
    const { id } = await fx.outcome(operations.begin(canaryOf(group), 'ann'));
    const report = { end: 'handled', queue: 'q', routingKey: 'k' } as const;
    for (const body of [
      encodeReport({ messageId: 'another', ...report }),
      Buffer.from('{'),
      Buffer.from('{}'),
    ])
      await fx.foreign.publish({
        exchange: fx.names.controlTo,
        routingKey: `replay.${id}`,
        body: body.toString(),
      });
    const ended = await fx.outcome(operations.ended(id));
    assert.deepEqual([ended.state, ended.canary?.handled, ended.canary?.cameBack], ['stopped', 0, 1]);
    await fx.eventually(async () => assert.equal(await count(), 3));
  });

  test('of two operators on one queue of dead letters the second is told who works on it', async (fx) => {
    const { state, group, operations } = await failing(fx, 20);
    const other = await operatorOf(fx);
    state.handle = () => {};
    const first = await fx.outcome(operations.begin({ kind: 'retry', selection: { group }, rate: 5 }, 'ann'));
    await assert.rejects(
      fx.outcome(other.operations.begin(canaryOf(group), 'bob')),
      (error) =>
        error instanceof OperationConflictError &&
        error.operation === first.id &&
        /^'ann' works on the dead letters in '.*shop\.dead' since .*: retry .*, \d+ of 20 done\.$/.test(
          error.message,
        ) &&
        error.help.includes(`hopline failed stop ${first.id}`),
    );
    await fx.outcome(other.operations.stop(first.id, 'bob'));
    const ended = await fx.outcome(operations.ended(first.id));
    assert.deepEqual([ended.state, ended.why], ['stopped', 'bob stopped it']);
    assert.ok(ended.done > 0 && ended.done < 20, `${ended.done}`);
    const listed = await fx.outcome(other.operations.list());
    assert.deepEqual(listed.map(told), [ended].map(told));
    assert.deepEqual([listed[0]?.why, listed[0]?.endedAt], [ended.why, ended.endedAt]);
    await fx.outcome(other.toEnd({ kind: 'retry', selection: { group } }));
  });

  test('single letters are retried, with their copies, and the others stay', async (fx) => {
    const { state, seen, toEnd, count, bus, index } = await failing(fx, 4);
    // The copy fails at another moment.
    const { clock } = fx.harness;
    const now = clock.now();
    await fx.eventually(() => assert.ok(clock.now() > now));
    await bus.publish('bill', { id: 2 }, { messageId: 'm2' });
    await fx.eventually(() => assert.equal(index.letters().count, 5));
    state.handle = () => {};
    seen.calls.length = 0;
    const selection = { ids: ['m2', 'm4', 'gone'], deadQueue: fx.name('shop.dead') };
    const ended = await toEnd({ kind: 'retry', selection });
    assert.deepEqual([ended.state, ended.done], ['done', 3]);
    await fx.eventually(() => assert.equal(seen.calls.length, 3));
    assert.equal(await count(), 2);
  });

  test('an operation that its process leaves is taken on by another, and goes on where it was', async (fx) => {
    const { state, seen, group, operations, desk } = await failing(fx, 12);
    state.handle = () => {};
    const { id } = await fx.outcome(
      operations.begin({ kind: 'retry', selection: { group }, rate: 10 }, 'ann'),
    );
    await fx.eventually(() => assert.ok(seen.calls.length >= 2));
    const other = await operatorOf(fx, true);
    await fx.outcome(desk.close());
    await fx.eventually(
      () => assert.equal(new Set(seen.payloads.map((each) => JSON.stringify(each))).size, 12),
      {
        timeout: 20_000,
      },
    );
    const ended = await fx.eventually(async () => {
      const [its] = await other.operations.list();
      assert.equal(its?.state, 'done');
      return its;
    });
    assert.deepEqual([ended.id, ended.by, ended.total, ended.done], [id, 'ann', 12, 12]);
    assert.equal(seen.calls.length, 12);
  });

  test('what an operator forgets is in the trash, and comes back from there', async (fx) => {
    const { group, toEnd, count, desk } = await failing(fx, 5);
    const forgotten = await toEnd({ kind: 'forget', selection: { group } });
    assert.deepEqual([forgotten.state, forgotten.done, await count()], ['done', 5, 0]);
    const trash = await fx.outcome(desk.trash());
    assert.deepEqual([...new Set(trash.map(({ trashed }) => trashed?.by))], ['ann']);
    const ids = trash.slice(0, 2).map(({ id }) => id);
    const restored = await toEnd({ kind: 'restore', selection: { ids, deadQueue: fx.names.trash } });
    assert.deepEqual([restored.state, restored.done], ['done', 2]);
    await fx.eventually(async () => assert.equal(await count(), 2));
    assert.equal((await fx.outcome(desk.trash())).length, 3);
  });

  test("messages of a queue that holds no dead letters are nobody's to forget or retry", async (fx) => {
    const { bus, operations, seen } = await failing(fx, 1);
    const control = await fx.control();
    const queue = fx.name('shop');
    await fx.outcome(control.pause(queue));
    await bus.publish('bill', { id: 7 }, { messageId: 'live' });
    for (const kind of ['forget', 'retry'] as const)
      await assert.rejects(
        fx.outcome(operations.begin({ kind, selection: { ids: ['live'], deadQueue: queue } }, 'ann')),
        (error) =>
          error instanceof OptionsError && /queue of dead letters that was opened/.test(error.message),
      );
    await fx.outcome(control.resume(queue));
    await fx.eventually(() => assert.equal(seen.calls.length, 1));
  });

  test('what can not be done is refused before anything is', async (fx) => {
    const { group, operations } = await failing(fx, 1);
    const refused = (request: object, by: string, problem: RegExp) =>
      assert.rejects(
        fx.outcome(operations.begin(request as OperationRequest, by)),
        (error) => error instanceof OptionsError && problem.test(error.message),
      );
    await refused(canaryOf(group, { to: 'republish' }), 'ann', /a canary goes to the queue/);
    await refused(canaryOf('none'), 'ann', /no dead letters of this selection/);
    await refused(
      { kind: 'burn', selection: {} },
      '',
      /expected kind to be.*[\s\S]*selection[\s\S]*who begins it/,
    );
    await refused({ kind: 'restore', selection: { group } }, 'ann', /trash has no group/);
    const elsewhere = { ids: ['a'], deadQueue: 'q.dead' };
    await refused(
      { kind: 'restore', selection: elsewhere },
      'ann',
      /to be '.*\.trash', the trash, got 'q\.dead'/,
    );
    await assert.rejects(fx.outcome(operations.stop('none', 'ann')), OptionsError);
    assert.deepEqual(await fx.outcome(operations.list()), []);
  });
};
