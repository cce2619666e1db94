import assert from 'node:assert/strict';
import { ControlError, OperationConflictError, PublishTimeoutError } from '../../src/errors.js';
import { keptList } from '../../src/failures/operations/kept-list.js';
import type { KeptOperation } from '../../src/failures/operations/kept-operations.js';
import { LiveOperations, type LiveOperationsOptions } from '../../src/failures/operations/live-operations.js';
import type { OperationSelection } from '../../src/failures/operations/operation.js';
import { takenOn } from '../../src/failures/operations/taking-on.js';
import { failuresSettings } from '../../src/failures/options.js';
import type { Session } from '../../src/transport/transport.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { ack, hold, type OnDelivery } from '../support/port.js';
import type { Theme } from './theme.js';

/** Dead letters of one group, an operator with an index that has read them, and what is handled from then on. */
async function given(fx: BusFixture, letters: number) {
  const state = { isMended: false };
  const seen = fx.recorder(({ payload }) => {
    if (!state.isMended) throw new TypeError(`no order ${(payload as { id: number }).id}`);
  });
  const bus = fx.bus('shop').handle('bill', seen.handle, { retry: { tries: 1 } });
  await bus.start();
  const desk = await fx.failures('shop');
  const ids = Array.from({ length: letters }, (_, index) => index + 1);
  await Promise.all(ids.map((id) => bus.publish('bill', { id }, { messageId: `m${id}` })));
  await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, letters));
  seen.calls.length = 0;
  const index = desk.index();
  await fx.outcome(index.refresh());
  const [its] = await fx.outcome(index.groups());
  const group = its?.id ?? assert.fail('no group');
  const operations = desk.operations(index, { takesOn: false });
  const retry = async (rate?: number) =>
    await fx.outcome(
      operations.begin({ kind: 'retry', selection: { group }, ...(rate ? { rate } : {}) }, 'ann'),
    );
  return { bus, state, seen, desk, index, operations, group, retry, dead: fx.name('shop.dead') };
}

/** Another program at the dead letters, which has taken so many. */
async function other(fx: BusFixture, letters: number, onDelivery: OnDelivery) {
  const port = await fx.port();
  const taking = await port.consume('shop.dead', onDelivery, letters);
  await fx.eventually(() => assert.equal(taking.deliveries.length, letters));
  return taking.consumer;
}

/** Operations on a session, with parts that a test has made its own. */
async function operationsOn(
  fx: BusFixture,
  parts: Pick<LiveOperationsOptions, 'index'> & Partial<LiveOperationsOptions>,
  its: (session: Session) => Session = (session) => session,
) {
  const { session } = await fx.port();
  const { names, harness } = fx;
  const settings = failuresSettings({
    ...{ transport: fx.transport(), queues: [fx.name('shop')] },
    ...{ prefix: names.operations.replace(/\.operations$/, ''), delayPrefix: harness.delayPrefix },
  });
  return new LiveOperations({
    ...{ session: its(session), settings, takesOn: false },
    turns: { run: (_queue, task) => task() },
    ...parts,
  });
}

export const operationsBesideOthers: Theme = (test) => {
  test('letters that another reader holds meanwhile are found when it gives them back', async (fx) => {
    const { state, seen, operations, retry } = await given(fx, 12);
    state.isMended = true;
    const reader = await other(fx, 5, hold);
    const { id, total } = await retry();
    assert.equal(total, 12);
    await fx.eventually(() => assert.equal(operations.running(id)?.done, 7));
    await reader.cancel();
    await reader.close();
    const ended = await fx.outcome(operations.ended(id));
    assert.deepEqual([ended.state, ended.done, ended.why], ['done', 12, undefined]);
    await fx.eventually(() => assert.equal(seen.calls.length, 12));
  });

  test('letters that have left their queue meanwhile are told of, and not counted as done', async (fx) => {
    const { state, operations, retry } = await given(fx, 5);
    state.isMended = true;
    const port = await fx.port();
    const taking = await port.consume('shop.dead', hold, 2);
    await fx.eventually(() => assert.equal(taking.deliveries.length, 2));
    const { id } = await retry();
    await fx.eventually(() => assert.equal(operations.running(id)?.done, 3));
    await taking.consumer.cancel();
    for (const delivery of taking.deliveries) ack(delivery);
    await taking.consumer.close();
    const { done, why, state: end } = await fx.outcome(operations.ended(id));
    assert.deepEqual([end, done, why], ['done', 3, '2 of 5 letters had left their queue before their turn']);
  });

  test('one that was left is not taken on while its letters are in other hands, and what is not found is not done', async (fx) => {
    const { index, desk, group } = await given(fx, 6);
    const { session } = await fx.port();
    const kept = keptList(session, { transport: fx.transport(), names: fx.names });
    const left = (id: string, selection: OperationSelection): KeptOperation => ({
      ...{ id, kind: 'canary', selection, to: 'queue', rate: undefined, by: 'ann' },
      ...{ deadQueues: [fx.name('shop.dead')], endedAt: undefined, state: 'running', why: undefined },
      ...{ total: 9, done: 1, failed: 0, canary: undefined, reportWithinMs: 1_000 },
      ...{ owner: 'another', beat: 3, beatAt: 0, startedAt: fx.harness.clock.now() },
    });
    const taking = (its: KeptOperation) =>
      fx.outcome(
        takenOn(its, {
          ...{ session, index, kept, owner: 'this' },
          now: () => fx.harness.clock.now(),
          isClosed: () => false,
        }),
      );
    const one = left('one', { group });
    const single = left('single', { ids: ['m1', 'm2', 'replayed'], deadQueue: fx.name('shop.dead') });
    await fx.outcome(kept.change((before) => ({ ...before, operations: [one, single] })));
    const owner = await other(fx, 4, hold);
    assert.equal(await taking(one), 'later');
    await owner.close();
    await fx.eventually(async () => assert.equal((await desk.count())[0]?.count, 6));
    const taken = await taking(one);
    assert.ok(typeof taken === 'object');
    assert.deepEqual([taken.letters.length, taken.its.total, taken.its.done], [6, 9, 1]);
    const alone = await taking(single);
    assert.ok(typeof alone === 'object');
    assert.deepEqual(alone.letters.map(({ id }) => id).toSorted(), ['m1', 'm2']);
  });

  test('one whose beginning was not confirmed has not begun, though it was written', async (fx) => {
    const { index, group, seen } = await given(fx, 2);
    let writes = 0;
    const operations = await operationsOn(fx, { index }, (session) => {
      const publish: Session['publish'] = async (message) => {
        const confirmed = await session.publish(message);
        writes += 1;
        if (writes === 1) throw new PublishTimeoutError('no confirm came', 'Look at the broker.');
        return confirmed;
      };
      return new Proxy(session, {
        get: (its, name) => {
          if (name === 'publish') return publish;
          const value = Reflect.get(its, name) as unknown;
          return typeof value === 'function' ? value.bind(its) : value;
        },
      });
    });
    const request = { kind: 'retry', selection: { group } } as const;
    await assert.rejects(fx.outcome(operations.begin(request, 'ann')), ControlError);
    await fx.eventually(async () => {
      const [its] = await operations.list();
      assert.equal(its?.state, 'failed');
      assert.match(its?.why ?? '', /^its beginning was not confirmed/);
    });
    assert.equal(seen.calls.length, 0);
    await fx.outcome(operations.close());
  });

  test('what has left is told before anybody else of its process reads the queue', async (fx) => {
    const { state, index, group } = await given(fx, 3);
    state.isMended = true;
    const told: string[] = [];
    const operations = await operationsOn(fx, {
      index: {
        refresh: () => index.refresh(),
        letters: (asked) => index.letters(asked),
        copies: (queue, letter) => index.copies(queue, letter),
        state: index.state,
        left: (_queue, ids) => void told.push(...ids),
      },
      turns: {
        run: async (_queue, task) => {
          const result = await task();
          told.push('turn over');
          return result;
        },
      },
    });
    const { id } = await fx.outcome(operations.begin({ kind: 'retry', selection: { group } }, 'ann'));
    await fx.outcome(operations.ended(id));
    assert.deepEqual([told.length, told.at(-1)], [4, 'turn over']);
  });

  test('who acts on single letters is told of the operation that works on their queue', async (fx) => {
    const { operations, retry, dead } = await given(fx, 20);
    const desk = await fx.failures('shop');
    const { id } = await retry(1);
    const refused = (acting: Promise<unknown>) =>
      assert.rejects(
        fx.outcome(acting),
        (error) => error instanceof OperationConflictError && error.operation === id,
      );
    await refused(desk.retry({}));
    await refused(desk.retry(['m20']));
    await refused(desk.forget({ before: new Date(Date.now() + 1_000) }));
    await refused(desk.retryEdited('m20', dead, { body: Buffer.from('{}') }, { by: 'bob' }));
    await refused(desk.flush(fx.name('shop')));
    assert.deepEqual(await fx.outcome(desk.restore({})), { done: 0, failed: [], gone: 0, left: 0 });
    await fx.outcome(operations.stop(id, 'ann'));
    await fx.outcome(operations.ended(id));
    const { done } = await fx.outcome(desk.forget({}));
    assert.ok(done >= 15, `${done}`);
  });
};
