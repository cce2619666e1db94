import assert from 'node:assert/strict';
import { messagePath } from '../../src/dashboard/pages/addresses.js';
import { memory } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { ask, Dashboards } from './dashboards.js';
import { failingShop } from './failing-shop.js';

describe('a link to a dead letter', () => {
  const dashboards = new Dashboards();

  it('leads there also on a dashboard that nobody has looked at yet', async () => {
    const transport = memory();
    const shop = await failingShop(transport);
    try {
      await shop.fail('bill', [{ id: 1 }]);
      const pages = dashboards.make({ transport, prefix: shop.prefix });
      const path = `/shop${messagePath({ deadQueue: shop.deadQueue, id: 'bill-1' })}`;
      const answers: string[] = [];
      await eventually(
        async () => {
          const answer = await ask(pages, path);
          const text = await answer.text();
          answers.push(`${answer.status}${text.includes('no order') ? ', with its error' : ''}`);
          return answers.includes('200, with its error');
        },
        { timeout: 10_000 },
      );
      assert.deepEqual(
        answers.filter((answer) => !answer.startsWith('200')),
        [],
      );
    } finally {
      await shop.close();
    }
  });
});
