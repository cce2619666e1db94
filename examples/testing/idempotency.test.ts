import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Class } from 'hopline/decorators';
import { explore, ScheduleFailedError, type StartKit } from 'hopline/testing';
import { Bank, CarefulCharge, CarelessCharge } from './charge.js';

/** With any fault on the way: each order is charged once, and announced at least once. */
const chargesOnce = (handler: Class) => async (start: StartKit) => {
  const bank = new Bank();
  const kit = await start({ classes: [handler], fakes: [[Bank, bank]] });

  for (const order of ['A7', 'B2']) await kit.publish('order.placed', { order });
  await kit.advance('1h'); // time for retries after a fault

  assert.deepEqual(bank.charges.map(({ order }) => order).sort(), ['A7', 'B2']);
  for (const order of ['A7', 'B2']) kit.published('order.charged').with({ order }).assertSome();
  kit.deadLettered().assertNone();
};

test('a careful handler bears all that at-least-once delivery allows', async () => {
  await explore({ scenario: chargesOnce(CarefulCharge), runs: 200, seed: 1 });
});

test('a careless one is caught, with the shortest schedule that shows it', async () => {
  await assert.rejects(explore({ scenario: chargesOnce(CarelessCharge), seed: 1 }), (error) => {
    assert.ok(error instanceof ScheduleFailedError);
    assert.match(error.schedule, /^crash-[a-z-]+@1$/);
    console.log(error.message);
    return true;
  });
});
