import { lookedOf } from '../looked-of.js';
import type { Page } from '../page.js';
import { dueWithin } from './due-within.js';
import type { DelayedModel } from './model.js';

export const delayed: Page<DelayedModel> = {
  name: 'delayed',
  path: '/delayed',
  freshMs: 5_000,
  title: () => 'Delayed',
  async load({ site }) {
    const seen = await site.watch.latest();
    const { delays, lost } = seen;
    const holding = delays.filter(({ length }) => length === undefined || length > 0);
    const known = holding.filter(({ length }) => length !== undefined);
    const dues = known.flatMap(({ dueMs }) => dueMs ?? []);
    return {
      looked: lookedOf(seen),
      isKnown: delays.some(({ length }) => length !== undefined),
      waiting: known.reduce((sum, { length = 0 }) => sum + length, 0),
      unknown: holding.length - known.length,
      lastDueMs: dues.length === 0 ? undefined : Math.max(...dues),
      due: dueWithin(delays),
      levels: holding.toSorted((one, other) => (other.dueMs ?? 0) - (one.dueMs ?? 0)),
      empty: delays.length - holding.length,
      standing: delays.filter(({ stands }) => stands).map(({ queue }) => queue),
      lost,
      lostQueue: site.names.delayLost,
    };
  },
};
