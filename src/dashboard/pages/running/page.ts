import { answerOf } from '../../site/answer.js';
import type { RunningMessage, Seen } from '../../site/seen.js';
import { lookedOf } from '../looked-of.js';
import type { Page } from '../page.js';
import { offsetOf, textOf } from '../query.js';
import type { RunningModel } from './model.js';

const FRESH_MS = 2_000;
const LIMIT = 100;

export const running: Page<RunningModel> = {
  name: 'running',
  path: '/running',
  freshMs: FRESH_MS,
  title: () => 'Running now',
  async load({ site, query }) {
    const { watch, clock } = site;
    const [seen, { value = [], problem }] = await Promise.all([
      watch.latest(),
      answerOf('a worker', clock, () => watch.running()),
    ]);
    const [text, offset] = [textOf(query, 'text'), offsetOf(query)];
    const found = matching(value, text);
    return {
      looked: lookedOf(seen),
      ...{ text, offset, limit: LIMIT, count: found.length },
      rows: found.slice(offset, offset + LIMIT),
      running: seen.handlers.reduce((sum, each) => sum + each.running, 0),
      slots: slotsOf(seen),
      problem,
    };
  },
};

function matching(all: readonly RunningMessage[], text: string): RunningMessage[] {
  const wanted = text.toLowerCase();
  return all.filter(({ queue, handler, messageId, routingKey, service, host }) =>
    [queue, handler, messageId, routingKey, service, host].join('\n').toLowerCase().includes(wanted),
  );
}

function slotsOf({ processes }: Seen): number | undefined {
  const groups = processes.flatMap(({ slotGroups }) => slotGroups);
  return groups.length === 0 ? undefined : groups.reduce((sum, { slots }) => sum + slots, 0);
}
