import type { Page } from '../page.js';
import { operationsOf } from './known.js';
import type { OperationsModel } from './model.js';
import { goesOn, rowsOf } from './rows.js';

/** What operators do with dead letters, and did: in this process and in all others. */
export const operations: Page<OperationsModel> = {
  name: 'operations',
  path: '/operations',
  freshMs: 2_000,
  title: ({ running }) => (running.length === 0 ? 'Operations' : `Operations (${running.length})`),
  async load({ site }) {
    const { value = [], problem } = await operationsOf(site);
    const rows = await rowsOf(value, site);
    return {
      running: rows.filter(goesOn),
      ended: rows.filter((row) => !goesOn(row)),
      problem,
    };
  },
};
