import assert from 'node:assert/strict';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { defineMessage, staticKeys } from '../../src/index.js';
import type { DeadLetter, Failures } from '../../src/operate.js';
import type { BusFixture } from '../support/bus-fixture.js';
import { hold } from '../support/port.js';
import type { Theme } from './theme.js';

const KEY = Buffer.alloc(32, 7);
const encryption = { keys: staticKeys({ current: 'one', keys: { one: KEY } }) };

/** Whoever handles it wants a number. */
const schema: StandardSchemaV1<{ amount: number }> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: async (value) =>
      typeof (value as { amount?: unknown })?.amount === 'number'
        ? { value: value as { amount: number } }
        : { issues: [{ message: 'expected a number', path: ['amount'] }] },
  },
};
const paid = defineMessage('order.*', schema);

/** A service that fails whatever is not mended. */
async function failing(fx: BusFixture) {
  const seen = fx.recorder(({ payload }) => {
    if (!(payload as { mended?: boolean }).mended) throw new Error('no');
  });
  const bus = fx.bus('shop', { encryption }).handle('order.#', seen.handle, { retry: { tries: 1 } });
  await bus.start();
  const desk = await fx.failuresWith(
    { others: [fx.name('errors')], messages: [paid], encryption },
    'shop',
    'lost',
  );
  const dead = { queues: [fx.name('shop')] };
  const fail = async (messageId: string, options: object = {}) => {
    await bus.publish('order.paid', { amount: 1 }, { messageId, headers: { tenant: 'a' }, ...options });
    await fx.eventually(async () => assert.ok((await desk.list(dead)).some(({ id }) => id === messageId)));
  };
  return { bus, seen, desk, fail, dead };
}

const untold = ({ deadQueue: _, trashed: __, ...letter }: DeadLetter) => letter;

const one = async (desk: Failures, id: string, queue: string): Promise<DeadLetter> => {
  const [letter] = await desk.get(id, { queues: [queue] });
  return letter ?? assert.fail(`no letter ${id}`);
};

export const trash: Theme = (test) => {
  test('a letter that was forgotten into the trash is restored as it was, and says there who has forgotten it', async (fx) => {
    const { desk, fail, dead } = await failing(fx);
    await fail('a', { encrypted: true });
    await fail('b');
    const [before] = await desk.get('a', dead);
    assert.deepEqual(await desk.trash(), []);
    assert.equal((await fx.outcome(desk.forget({ ...dead, ids: ['a'] }, { trash: { by: 'ann' } }))).done, 1);
    assert.deepEqual(
      (await desk.list(dead)).map(({ id }) => id),
      ['b'],
    );
    const [letter, ...others] = await desk.trash();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [letter?.id, letter?.trashed?.by, letter?.trashed?.deadQueue],
      ['a', 'ann', fx.name('shop.dead')],
    );
    assert.ok(letter?.trashed?.at instanceof Date);
    assert.deepEqual(
      [letter?.reason, letter?.error, letter?.queue],
      ['exhausted', 'Error: no', fx.name('shop')],
    );
    assert.equal((await desk.trash({ queues: [fx.name('shop')] })).length, 1);
    assert.equal((await fx.outcome(desk.restore(['a']))).done, 1);
    assert.deepEqual(await desk.trash(), []);
    assert.deepEqual(untold(await one(desk, 'a', fx.name('shop'))), before && untold(before));
  });

  test('a letter of others comes back from the trash with all its headers', async (fx) => {
    const { desk } = await failing(fx);
    const port = await fx.port();
    await port.declare({ queues: { errors: {} } });
    const headers = { 'NServiceBus.FailedQ': 'Sales', 'NServiceBus.ExceptionInfo.Message': 'no', mine: 1 };
    const properties = { messageId: 'm', headers, correlationId: 'c' };
    await fx.foreign.publish({ exchange: '', routingKey: fx.name('errors'), body: 'x', properties });
    const errors = { queues: [fx.name('errors')] };
    await fx.eventually(async () => assert.equal((await desk.list(errors)).length, 1));
    assert.equal((await fx.outcome(desk.forget(errors, { trash: { by: 'ann' } }))).done, 1);
    const [letter] = await desk.trash();
    assert.deepEqual([letter?.by, letter?.queue], ['nservicebus', 'Sales']);
    assert.equal((await fx.outcome(desk.restore({}))).done, 1);
    const queue = await port.consume('errors', hold);
    await fx.eventually(() => assert.equal(queue.deliveries.length, 1));
    assert.deepEqual({ ...queue.at(0).properties.headers }, headers);
    assert.equal(queue.at(0).properties.correlationId, 'c');
  });

  test('a delayed message that no queue took comes back from the trash as one that is lost', async (fx) => {
    const { bus, desk } = await failing(fx);
    const lost = { queues: [fx.names.delayLost], ids: [fx.name('gone')] };
    await bus.send('nobody.wants', 1, { messageId: fx.name('gone'), delay: '100ms' });
    await fx.eventually(async () =>
      assert.equal((await desk.list({ queues: lost.queues, grep: fx.name('gone') })).length, 1),
    );
    const before = await one(desk, fx.name('gone'), fx.names.delayLost);
    assert.equal((await fx.outcome(desk.forget(lost, { trash: { by: 'ann' } }))).done, 1);
    const [letter] = await desk.trash();
    assert.deepEqual([letter?.reason, letter?.trashed?.deadQueue], ['unroutable', fx.names.delayLost]);
    assert.equal((await fx.outcome(desk.restore({}))).done, 1);
    const { routingKey, exchange, body } = await one(desk, fx.name('gone'), fx.names.delayLost);
    assert.deepEqual([routingKey, exchange, body], [before.routingKey, before.exchange, before.body]);
    assert.equal((await fx.outcome(desk.forget(lost))).done, 1);
  });

  test('an edited message is handled with its new body and headers, and says so if it fails again', async (fx) => {
    const { seen, desk, fail } = await failing(fx);
    await fail('a');
    const queue = fx.name('shop');
    const edit = (text: string, headers?: Record<string, string>) =>
      fx.outcome(
        desk.retryEdited(
          'a',
          queue,
          { body: Buffer.from(text), ...(headers ? { headers } : {}) },
          { by: 'ann' },
        ),
      );
    await assert.rejects(edit('{"amount":"many"}'), /amount/);
    await assert.rejects(edit('{"amount":'), /not valid JSON/);
    await assert.rejects(edit('{}', { 'hopline-attempt': '1' }), /only Hopline or the broker/);
    assert.equal((await desk.list({ queues: [queue] })).length, 1, 'nothing has left');
    assert.deepEqual(await edit('{"amount":2}', { tenant: 'b' }), { done: 1, failed: [], gone: 0, left: 0 });
    await fx.eventually(() => assert.equal(seen.calls.length, 2));
    assert.deepEqual(seen.payloads[1], { amount: 2 });
    assert.deepEqual({ ...seen.at(1).context.headers }, { tenant: 'b' });
    await fx.eventually(async () => assert.equal((await desk.list({ queues: [queue] })).length, 1));
    const { edited } = await one(desk, 'a', queue);
    assert.equal(edited?.by, 'ann');
    assert.match(edited?.was ?? '', /^[\da-f]{64}$/);
    assert.equal((await edit('{"amount":3,"mended":true}')).done, 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads[2], { amount: 3, mended: true }));
    await assert.rejects(edit('{"amount":4}'), /'a'/);
  });

  test('an encrypted message is encrypted again after it was edited, and refused without the keys', async (fx) => {
    const { seen, desk, fail } = await failing(fx);
    await fail('a', { encrypted: true });
    const queue = fx.name('shop');
    const blind = await fx.failures('shop');
    const body = Buffer.from('{"amount":2,"mended":true}');
    await assert.rejects(fx.outcome(blind.retryEdited('a', queue, { body }, { by: 'ann' })), /'one'/);
    const { body: before, encryptedHeader } = await one(desk, 'a', queue);
    assert.ok(!before.toString().includes('amount') && encryptedHeader);
    assert.equal((await fx.outcome(desk.retryEdited('a', queue, { body }, { by: 'ann' }))).done, 1);
    await fx.eventually(() => assert.deepEqual(seen.payloads[1], { amount: 2, mended: true }));
  });

  test('that a message was edited, and by whom its handler failed, is not believed of a publisher', async (fx) => {
    const { desk, dead } = await failing(fx);
    const edited = JSON.stringify({ v: 1, by: 'ann', at: new Date(0), was: 'x' });
    const headers = { 'hopline-edited': edited, 'hopline-handler': 'other', 'hopline-version': '9' };
    const properties = { messageId: 'forged', contentType: 'application/json', headers };
    await fx.foreign.publish({ exchange: fx.events, routingKey: 'order.paid', body: '{}', properties });
    await fx.eventually(async () => assert.equal((await desk.list(dead)).length, 1));
    const forged = await one(desk, 'forged', fx.name('shop'));
    assert.deepEqual([forged.edited, forged.editedHeader, forged.version], [undefined, undefined, undefined]);
    assert.notEqual(forged.handler, 'other');
  });

  test('what another program has put into the trash is restored into no queue but one of dead letters', async (fx) => {
    const { desk, fail, dead } = await failing(fx);
    await fail('a');
    await fx.outcome(desk.forget(dead, { trash: { by: 'ann' } }));
    const port = await fx.port();
    await port.declare({ queues: { work: {} } });
    for (const [at, deadQueue] of [fx.name('work'), fx.names.operations, fx.names.trash].entries()) {
      const mark = JSON.stringify({ v: 1, by: 'ann', at: new Date(0), deadQueue });
      const headers = { 'NServiceBus.FailedQ': 'Sales', 'hopline-trashed': mark };
      const properties = { messageId: `m${at}`, headers };
      await fx.foreign.publish({ exchange: '', routingKey: fx.names.trash, body: 'x', properties });
    }
    await fx.eventually(async () => assert.equal((await desk.trash()).length, 4));
    const { done, failed } = await fx.outcome(desk.restore({}));
    assert.deepEqual([done, failed.length], [1, 3]);
    for (const { error } of failed) assert.match(error.message, /which is no dead-letter queue/);
    assert.equal((await desk.trash()).length, 3);
  });

  test('a letter that was given up for a reason that this version does not know is forgotten and restored with it', async (fx) => {
    const { desk, dead } = await failing(fx);
    await fx.foreign.publish({
      exchange: '',
      routingKey: fx.name('shop.dead'),
      body: 'x',
      properties: {
        messageId: 'new',
        headers: { 'hopline-reason': 'bored', 'hopline-queue': fx.name('shop') },
      },
    });
    await fx.eventually(async () => assert.equal((await desk.list(dead)).length, 1));
    assert.equal((await fx.outcome(desk.forget(dead, { trash: { by: 'ann' } }))).done, 1);
    assert.equal((await desk.trash())[0]?.reason, 'bored');
    assert.equal((await fx.outcome(desk.restore({}))).done, 1);
    assert.equal((await one(desk, 'new', fx.name('shop'))).reason, 'bored');
  });
};
