import { lookedOf } from '../looked-of.js';
import type { Page } from '../page.js';
import { textOf } from '../query.js';
import type { WorkerRow, WorkersModel } from './model.js';
import { serviceRows, workerRow } from './rows.js';

/** Processes, and services, that are listed. */
const LISTED = 200;

export const workers: Page<WorkersModel> = {
  name: 'workers',
  path: '/workers',
  freshMs: 2_000,
  title: () => 'Workers',
  async load({ site, query }) {
    const seen = await site.watch.latest();
    const text = textOf(query, 'text');
    const all = seen.processes.map(workerRow).sort(byPlace);
    const found = all.filter((each) => namesOf(each).includes(text.toLowerCase()));
    return {
      looked: lookedOf(seen),
      text,
      services: serviceRows(all).slice(0, LISTED),
      workers: found.slice(0, LISTED),
      count: found.length,
      total: all.length,
    };
  },
};

const namesOf = ({ service, host, pid, version = '' }: WorkerRow) =>
  `${service}\n${host}\n${pid}\n${version}`.toLowerCase();

/** The same order in each look, so that nothing jumps. */
function byPlace(one: WorkerRow, other: WorkerRow): number {
  if (one.service !== other.service) return one.service < other.service ? -1 : 1;
  if (one.host !== other.host) return one.host < other.host ? -1 : 1;
  return one.pid - other.pid;
}
