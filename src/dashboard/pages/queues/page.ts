import type { Seen } from '../../site/seen.js';
import { ofSegment } from '../addresses.js';
import { lookedOf } from '../looked-of.js';
import { NotFound, type Page } from '../page.js';
import { choiceOf, offsetOf, textOf } from '../query.js';
import { chartedOf } from '../series.js';
import { QUEUE_SORTS, type QueueModel, type QueuesModel } from './model.js';
import { knownSum, matching, pausedNames, rowOf, sorted } from './rows.js';

const FRESH_MS = 2_000;

/** Rows of one page. */
const LIMIT = 100;

/** Handlers of one queue, and its lanes. */
const MOST = 100;

export const queues: Page<QueuesModel> = {
  name: 'queues',
  path: '/queues',
  freshMs: FRESH_MS,
  title: () => 'Queues',
  async load({ site, query }) {
    const seen = await site.watch.latest();
    const [text, sort, offset] = [
      textOf(query, 'text'),
      choiceOf(query, 'sort', QUEUE_SORTS),
      offsetOf(query),
    ];
    const found = sorted(matching(seen.queues, text), sort);
    return {
      looked: lookedOf(seen),
      ...{ text, sort, offset, limit: LIMIT, count: found.length },
      rows: found.slice(offset, offset + LIMIT).map(rowOf),
      waiting: knownSum(seen.queues.map(({ length }) => length)),
      deadLetters: knownSum(seen.queues.map(({ deadLetters }) => deadLetters)),
      paused: seen.queues.filter(({ paused }) => paused).length,
    };
  },
};

export const queue: Page<QueueModel> = {
  name: 'queue',
  path: '/queues/:queue',
  freshMs: FRESH_MS,
  title: ({ queue: { queue: name } }) => name,
  async load({ site, params, query }) {
    const seen = await site.watch.latest();
    const name = ofSegment(params.queue);
    const found = seen.queues.find((each) => each.queue === name);
    if (!found) throw new NotFound(`No worker serves a queue '${name}', and no operator has paused one.`);
    const names = ['length', 'dead-letters'] as const;
    const charts = await chartedOf(site, { names, subject: name, query });
    const lanes = seen.queues.filter((each) => each.of === found.of && each.queue !== name);
    return {
      looked: lookedOf(seen),
      queue: rowOf(found),
      lanes: sorted(lanes, 'name').slice(0, MOST).map(rowOf),
      handlers: handlersOf(seen, found.of),
      pausedBy: pausedNames(seen, found),
      charts,
    };
  },
};

const handlersOf = ({ handlers }: Seen, of: string): QueueModel['handlers'] =>
  handlers
    .filter((each) => each.queue === of)
    .slice(0, MOST)
    .map(({ service, handler, running, perSecond, runtimeMs, failureRate, circuitsOpen }) => ({
      ...{ service, handler, running, perSecond, failureRate, circuitsOpen },
      p95Ms: runtimeMs?.p95,
    }));
