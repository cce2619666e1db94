import assert from 'node:assert/strict';
import { messagePath } from '../../src/dashboard/pages/addresses.js';
import type { FailuresModel } from '../../src/dashboard/pages/failures/model.js';
import type { GroupModel } from '../../src/dashboard/pages/group/model.js';
import type { OperationModel, OperationsModel } from '../../src/dashboard/pages/operations/model.js';
import { OperationConflictError, OptionsError } from '../../src/errors.js';
import { memory, rabbitmq, type Transport } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { drawn } from './drawn.js';
import { AMQP_URL, type FailingShop, failingShop } from './failing-shop.js';

const BROKERS: Readonly<Record<string, () => Transport>> = {
  memory: () => memory(),
  RabbitMQ: () => rabbitmq({ url: AMQP_URL }),
};

const ids = (count: number) => Array.from({ length: count }, (_, at) => ({ id: at + 1 }));

for (const [name, transport] of Object.entries(BROKERS)) {
  describe(`what an operator does with failures, on ${name}`, () => {
    let shop: FailingShop;
    beforeEach(async () => {
      shop = await failingShop(transport());
    });
    afterEach(() => shop.close());

    const group = async (): Promise<string> => {
      const { model } = await drawn<FailuresModel>('failures', shop.site);
      return model.rows[0]?.id ?? assert.fail('no group');
    };
    const operation = async (to: string) => {
      const params = { operation: to.split('/').at(-1) ?? '' };
      return drawn<OperationModel>('operation', shop.site, { params });
    };
    const ended = (to: string) =>
      eventually(
        async () => {
          const drawnNow = await operation(to);
          return drawnNow.model.operation.endedAt !== undefined && drawnNow;
        },
        { timeout: 30_000 },
      );

    it('a dead letter is found in its group, retried as a canary, and handled', async () => {
      await shop.fail('bill', ids(13));
      const id = await group();
      shop.state.isMended = true;
      const { to, say } = await shop.act(`/failures/${id}/canary`, { rate: '100/s' });
      assert.match(say, /13 dead letters are being replayed, one first/);
      const { model, text } = await ended(to);
      assert.deepEqual(
        [model.operation.state, model.operation.done, model.operation.by, model.left],
        ['done', 13, 'ada', 0],
        model.operation.why,
      );
      assert.deepEqual(
        shop.handled.toSorted(),
        ids(13)
          .map(({ id }) => id)
          .toSorted(),
      );
      assert.match(text, /13 of 13/);
      const { model: after } = await drawn<FailuresModel>('failures', shop.site);
      assert.deepEqual(after.rows, []);
      const { model: list } = await drawn<OperationsModel>('operations', shop.site);
      assert.deepEqual([list.running.length, list.ended.length], [0, 1]);
    });

    it('a canary stops by itself while the fault is still there, and its page says why', async () => {
      await shop.fail('bill', ids(3));
      const { to } = await shop.act(`/failures/${await group()}/canary`);
      const { model, text } = await ended(to);
      assert.equal(model.operation.state, 'stopped');
      assert.equal(model.operation.done, 1);
      assert.ok(model.operation.why && text.includes(model.operation.why), text);
    });

    it('single letters are retried by ticking them, and a second operation there is refused with who holds it', async () => {
      await shop.fail('bill', ids(3));
      const id = await group();
      const { model } = await drawn<GroupModel>('group', shop.site, { params: { group: id } });
      shop.state.isMended = true;
      const letter = model.rows.slice(0, 2).map(messagePath);
      const { to } = await shop.act(`/failures/${id}/selected`, { do: 'retry', letter });
      assert.equal((await ended(to)).model.operation.done, 2);
      assert.equal(shop.handled.length, 2);
      await assert.rejects(shop.act(`/failures/${id}/selected`, { do: 'retry' }), OptionsError);
      await assert.rejects(shop.act(`/failures/${id}/canary`, { rate: 'fast' }), OptionsError);
      await shop.fail('bill', []);
    });

    it('an operation is stopped by another operator, and the rest stays', async () => {
      await shop.fail('bill', ids(20));
      const id = await group();
      shop.state.isMended = true;
      const { to } = await shop.act(`/failures/${id}/retry`, { rate: '2/s' });
      await assert.rejects(shop.act(`/failures/${id}/retry`, {}, 'grace'), (error: Error) => {
        assert.ok(error instanceof OperationConflictError);
        assert.match(error.message, /ada/);
        return true;
      });
      const { text } = await drawn('group', shop.site, { params: { group: id } });
      assert.match(text, /Retry is under way on .* by ada/);
      await shop.act(`${to}/stop`, {}, 'grace');
      const { model } = await ended(to);
      assert.deepEqual([model.operation.state, model.operation.why?.includes('grace')], ['stopped', true]);
      assert.ok(model.operation.done < 20);
    });

    it('one message is retried from its page', async () => {
      await shop.fail('bill', ids(2));
      shop.state.isMended = true;
      const { to } = await shop.act(`${messagePath({ deadQueue: shop.deadQueue, id: 'bill-2' })}/retry`);
      const { model, html } = await ended(to);
      assert.equal(model.operation.done, 1);
      assert.deepEqual(shop.handled, [2]);
      assert.match(html, /bill-2/);
    });
  });
}
