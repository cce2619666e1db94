import type { ManagedQueue } from '../../../oversight/management/managed.js';
import { answerOf } from '../../site/answer.js';
import { freshForEach } from '../../site/fresh-for.js';
import type { Site } from '../../site/site.js';
import { lookedOf } from '../looked-of.js';
import type { Page } from '../page.js';
import type { BrokerModel } from './model.js';
import { countsOf, quorumRows } from './quorums.js';

/** Queues that are listed. */
const LISTED = 200;
const FRESH_MS = 10_000;

/** Members change when a node goes or an operator moves them: rarely, and the list of all queues is dear. */
const queuesOf = freshForEach<Site, ManagedQueue[] | undefined>(
  FRESH_MS,
  ({ clock }) => clock,
  async ({ management }) => await management?.queues(),
);

export const broker: Page<BrokerModel> = {
  name: 'broker',
  path: '/broker',
  freshMs: FRESH_MS,
  title: () => 'Broker',
  async load({ site }) {
    const { management, clock } = site;
    const [seen, answer] = await Promise.all([
      site.watch.latest(),
      answerOf('the management API', clock, () => queuesOf(site)),
    ]);
    const quorums = answer.value && quorumRows(answer.value);
    return {
      looked: lookedOf(seen),
      address: site.broker,
      broker: seen.broker,
      hasManagement: management !== undefined,
      management: management?.address,
      problem: answer.problem,
      quorums: quorums?.slice(0, LISTED),
      quorumCounts: quorums && countsOf(quorums),
    };
  },
};
