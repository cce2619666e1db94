import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testKit } from 'hopline/testing';
import { Bank, CarefulCharge } from './charge.js';

test('an order that comes twice is charged once', async () => {
  const bank = new Bank();
  const kit = await testKit({ classes: [CarefulCharge], fakes: [[Bank, bank]] });
  await kit.publish('order.placed', { order: 'A7' });
  await kit.settled();

  kit.redeliver('order.placed');
  await kit.settled();

  kit.handled(CarefulCharge).assertTimes(2);
  assert.equal(bank.charges.length, 1);
  await kit.stop();
});

test('an order is charged once, and told, though the process dies between the two', async () => {
  const bank = new Bank();
  const kit = await testKit({ classes: [CarefulCharge], fakes: [[Bank, bank]] });

  await kit.crash({ at: 'before-publish', key: 'order.charged' });
  await kit.publish('order.placed', { order: 'A7' });
  await kit.settled();

  assert.equal(bank.charges.length, 1);
  kit.published('order.charged').assertOnce();
  await kit.stop();
});

test('an order is charged once though the handler never hears that its news is stored', async () => {
  const bank = new Bank();
  const kit = await testKit({ classes: [CarefulCharge], fakes: [[Bank, bank]] });

  kit.loseConfirm({ key: 'order.charged' });
  await kit.publish('order.placed', { order: 'A7' });
  await kit.advance('1m'); // the handler failed, and is retried

  assert.equal(bank.charges.length, 1);
  kit.published('order.charged').assertTimes(2); // so listeners to it must allow for duplicates
  await kit.stop();
});
