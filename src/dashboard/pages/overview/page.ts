import type { Page } from '../page.js';
import type { OverviewModel } from './model.js';

export const overview: Page<OverviewModel> = {
  name: 'overview',
  path: '/',
  freshMs: 2_000,
  title: () => 'Overview',
  async load({ site }) {
    const { reached, processes, queues } = await site.watch.latest();
    return { broker: site.broker, reached, processes: processes.length, queues };
  },
};
