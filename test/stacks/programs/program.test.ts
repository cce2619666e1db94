import { testKit } from 'hopline/testing';
import { all, classes } from './program.js';
import { runWith } from './run.js';

test('each handler is called, and one of them twice', async () => {
  expect(await runWith(all)).toEqual(['cancelled A7', 'welcome, ada@example.org', 'welcome, billed A7']);
});

test('the same in the test kit, without waiting', async () => {
  const kit = await testKit({ classes });
  await kit.publish('order.placed', { id: 'A8' });
  await kit.settled();
  kit.retried('order.placed').assertOnce();
  await kit.advance('1s');
  kit.handled('order.placed').assertOnce();
  await kit.stop();
});
