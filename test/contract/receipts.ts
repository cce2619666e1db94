import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  defineMessage,
  NotUniqueError,
  type Published,
  PublishManyError,
  staticKeys,
} from '../../src/index.js';
import { memoryStores } from '../../src/stores/memory/index.js';
import { watch } from '../support/bus-fixture.js';
import { numbers } from '../support/port.js';
import { jobs } from './batch-fixture.js';
import type { Theme } from './theme.js';

const atOnce = (messageId: string): Published => ({ messageId, confirmed: true, dueAt: undefined });

export const receipts: Theme = (test) => {
  test('publish and send resolve to the id that the handler sees, also from within one', async (fx) => {
    const inside: Published[] = [];
    const seen = fx.recorder(async ({ context }) => {
      if (context.routingKey !== 'first') return;
      inside.push(await context.publish('second', {}), await context.send('third', {}));
    });
    const bus = fx.bus('mailer').handle('#', seen.handle);
    await bus.start();
    const outside = [await bus.publish('first', {}), await bus.send('fourth', {}, { messageId: 'my own' })];
    await fx.eventually(() => assert.equal(seen.calls.length, 4));
    const ids = new Map(seen.calls.map(({ context }) => [context.routingKey, context.messageId]));
    const idOf = (key: string) => atOnce(String(ids.get(key)));
    assert.deepEqual(outside, [idOf('first'), atOnce('my own')]);
    assert.deepEqual(inside, [idOf('second'), idOf('third')]);
    // What nobody takes has an id, too.
    assert.match((await bus.publish('nobody', {})).messageId, /^[\da-f-]{36}$/, 'none takes it');
  });

  test('a delayed message resolves to when it is due', async (fx) => {
    const bus = await fx.publisher();
    const before = fx.harness.clock.now();
    const late = await bus.publish('k', {}, { delay: '1h' });
    const after = fx.harness.clock.now();
    const due = late.dueAt?.getTime() ?? 0;
    assert.ok(due >= before + 3_600_000 && due <= after + 3_600_000, `${due - before} ms`);
    const at = new Date(before + 7_200_000);
    assert.deepEqual((await bus.publish('k', {}, { at })).dueAt, at);
    assert.equal((await bus.publish('k', {}, { at: new Date(before - 1) })).dueAt, undefined, 'it is past');
  });

  test('when it is due stays what it was, though the caller goes on with his Date', async (fx) => {
    const bus = await fx.publisher();
    const at = new Date(fx.harness.clock.now() + 3_600_000);
    const first = at.getTime();
    const { dueAt } = await bus.publish('k', {}, { at });
    at.setUTCDate(at.getUTCDate() + 1);
    assert.equal(dueAt?.getTime(), first);
  });

  test('what is gathered for a pack resolves to its own id, each', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    await bus.start();
    const gathered = defineMessage<number>('k', undefined, { pack: { max: 3, within: '5ms' } });
    const sent = await fx.outcome(
      Promise.all([
        ...numbers(7).map((number) => bus.publish(gathered, Number(number))),
        bus.send(gathered, 7),
      ]),
    );
    await fx.eventually(() => assert.equal(seen.calls.length, 8));
    const idOf = new Map(seen.calls.map(({ payload, context }) => [payload, context.messageId]));
    assert.deepEqual(
      sent,
      sent.map((_none, number) => atOnce(String(idOf.get(number)))),
    );
    assert.match(sent[0]?.messageId ?? '', /\.0$/, 'it was packed');
    assert.doesNotMatch(sent[7]?.messageId ?? '', /\./, 'a pack of one is none');
  });

  test('many publishes resolve to how many they were, and events tell their ids', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('k', seen.handle);
    const confirmed = watch(bus, 'message.confirmed');
    await bus.start();
    function* some(): Generator<number> {
      yield* [0, 1, 2, 3, 4];
    }
    assert.deepEqual(await bus.publishMany('k', some()), { count: 5, confirmed: true });
    assert.deepEqual(await bus.sendMany('k', some(), { pack: 2 }), { count: 5, confirmed: true });
    assert.deepEqual(await bus.publishMany('k', []), { count: 0, confirmed: true });
    await assert.rejects(bus.publishMany('k', [7n]), (error) => {
      assert.ok(error instanceof PublishManyError);
      return error.total - error.failures.length === 0;
    });
    await fx.eventually(() => assert.equal(seen.calls.length, 10));
    const ids = confirmed.map(({ event }) => (event as { messageId: string }).messageId);
    assert.deepEqual(ids.toSorted(), seen.calls.map(({ context }) => context.messageId).toSorted());
  });

  test('chains resolve to their first step, batches to their id and how far they are', async (fx) => {
    const stores = memoryStores(fx.harness.clock);
    const bus = fx.bus('mailer', { stores }).handle('#', () => {});
    await bus.start();
    const chain = bus.chain([{ key: 'a', payload: 1, delay: '1h' }, ...jobs(1)]);
    const { messageId, confirmed, dueAt } = await chain.dispatch();
    assert.deepEqual([messageId, confirmed], [chain.id, true]);
    assert.ok(dueAt && dueAt.getTime() >= fx.harness.clock.now() + 3_590_000);
    const batch = bus.batch(jobs(3).values());
    const { id, total, pending, done } = await batch.dispatch();
    assert.deepEqual([id, total, pending + done], [batch.id, 3, 3]);
    assert.deepEqual(await bus.batch([], { id: 'none' }).dispatch(), {
      id: 'none',
      ...{ total: 0, pending: 0, done: 0, failed: 0, skipped: 0, progress: 100 },
    });
  });

  test('a builder that an async function returns is still one, and nothing of it is sent', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('#', seen.handle);
    await bus.start();
    const chained = async () => bus.chain(jobs(2));
    const batched = async () => bus.batch(jobs(2)).onSuccess({ key: 'over', payload: {} });
    const [chain, batch] = [await chained(), await batched()];
    await bus.publish('other', {});
    await fx.eventually(() => assert.deepEqual(seen.keys, ['other']));
    assert.equal((await chain.dispatch()).messageId, chain.id);
    assert.equal((await batch.dispatch()).total, 2);
    await fx.eventually(() =>
      assert.deepEqual(seen.keys.toSorted(), [...Array(4).fill('job'), 'other', 'over']),
    );
  });

  test('a unique send resolves to its own id, and one that is refused names the other', async (fx) => {
    const seen = fx.recorder();
    const bus = fx.bus('mailer').handle('#', seen.handle);
    await bus.start();
    const delayed = { delay: '1h', unique: { key: '1' } } as const;
    const first = await bus.send('k', 1, delayed);
    await assert.rejects(bus.send('k', 2, delayed), (error) => {
      assert.ok(error instanceof NotUniqueError);
      return error.holder === first.messageId;
    });
    const newest = { ...delayed, unique: { key: '2', keep: 'last' } } as const;
    const sent = [await bus.send('k', 3, newest), await bus.send('k', 4, newest)];
    assert.equal(new Set([first, ...sent].map(({ messageId }) => messageId)).size, 3);
    for (const { confirmed, dueAt } of sent) assert.ok(confirmed && dueAt);
  });

  test('an encrypted message resolves to the id that it is bound to', async (fx) => {
    const keys = staticKeys({ current: 'k1', keys: { k1: randomBytes(32) } });
    const seen = fx.recorder();
    const bus = fx.bus('clinic', { encryption: { keys } }).handle('#', seen.handle, { encrypted: true });
    await bus.start();
    const { messageId } = await bus.send('k', 'secret', { encrypted: true });
    await fx.eventually(() => assert.equal(seen.at(0).context.messageId, messageId));
  });
};
