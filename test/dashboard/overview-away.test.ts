import assert from 'node:assert/strict';
import type { OverviewModel } from '../../src/dashboard/pages/overview/model.js';
import type { Series, Watch } from '../../src/dashboard/site/seen.js';
import { ConnectError } from '../../src/errors.js';
import { drawn, indexOf, siteOf, watchOf } from './drawn.js';

describe('the overview of an application whose broker is away', () => {
  it('says which parts are not known, and shows the others', async () => {
    const away = async () => {
      throw new ConnectError('the broker is away', 'Wait for it.');
    };
    const unknown = async (): Promise<Series> => ({ from: 0, stepMs: 5_000, values: new Array(720) });
    const watch: Watch = {
      ...watchOf({ reached: false, silent: ['the broker is away'] }),
      longestMs: 3_600_000,
      history: unknown,
      alerts: () => [],
    };
    const site = siteOf({
      watch,
      index: { ...indexOf([]), groups: away },
      operations: { list: away } as never,
    });
    const { model, text } = await drawn<OverviewModel>('overview', site);
    assert.equal(model.groupCount, 0);
    assert.match(text, /The dead letters could not be read the broker does not answer: the broker is away/);
    assert.doesNotMatch(text, /There is no dead letter/);
    assert.match(text, /the list of operations does not answer/);
  });
});
