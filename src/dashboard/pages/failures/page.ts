import { DEAD_LETTER_REASONS } from '../../../failures/filter.js';
import type { FailureGroup } from '../../../failures/groups/group.js';
import type { Page } from '../page.js';
import { choiceOf, offsetOf, textOf } from '../query.js';
import type { FailuresModel, GroupSort, GroupsAsked } from './model.js';
import { rowOf } from './rows.js';

const LIMIT = 50;
/** Names that can be chosen: more make no useful list, and are found by text. */
const MOST_CHOICES = 200;

/** The groups of dead letters: what is broken, since when, and how much. */
export const failures: Page<FailuresModel> = {
  name: 'failures',
  path: '/failures',
  freshMs: 2_000,
  title: ({ groups }) => (groups === 0 ? 'Failures' : `Failures (${groups})`),
  async load({ site, query }) {
    // Not awaited: the page shows what is known, and how far the reading is.
    void site.index.refresh();
    const asked = askedOf(query);
    const groups = await site.index.groups();
    const matching = groups.filter((group) => matches(group, asked)).sort(ORDERS[asked.sort]);
    return {
      asked,
      index: site.index.state,
      groups: groups.length,
      letters: lettersIn(groups),
      matching: matching.length,
      matchingLetters: lettersIn(matching),
      rows: matching
        .slice(asked.offset, asked.offset + LIMIT)
        .map((group) => rowOf(group, site.letters.redaction)),
      limit: LIMIT,
      queues: namesOf(groups.map(({ queue }) => queue)),
      handlers: namesOf(groups.map(({ handler }) => handler)),
    };
  },
};

const askedOf = (query: URLSearchParams): GroupsAsked => ({
  text: textOf(query, 'text'),
  state: choiceOf(query, 'state', ['live', 'all', 'open', 'seen', 'back', 'resolved']),
  queue: textOf(query, 'queue', 255),
  handler: textOf(query, 'handler', 255),
  reason: choiceOf(query, 'reason', ['', ...DEAD_LETTER_REASONS] as [
    GroupsAsked['reason'],
    ...GroupsAsked['reason'][],
  ]),
  sort: choiceOf(query, 'sort', ['last', 'first', 'count', 'name']),
  offset: offsetOf(query),
});

function matches(group: FailureGroup, { text, state, queue, handler, reason }: GroupsAsked): boolean {
  if (state === 'live' ? group.state === 'resolved' : state !== 'all' && group.state !== state) return false;
  if (queue !== '' && group.queue !== queue) return false;
  if (handler !== '' && group.handler !== handler) return false;
  if (reason !== '' && !group.reasons.includes(reason)) return false;
  if (text === '') return true;
  const { id, kind, message, place = '', note = '', since = '' } = group;
  const all = [id, kind, message, place, group.handler, group.queue, note, since].join('\n');
  return all.toLowerCase().includes(text.toLowerCase());
}

const timeOf = (at: Date | undefined): number => at?.getTime() ?? 0;

const ORDERS: Readonly<Record<GroupSort, (left: FailureGroup, right: FailureGroup) => number>> = {
  last: (left, right) => timeOf(right.lastAt) - timeOf(left.lastAt),
  first: (left, right) => timeOf(right.firstAt) - timeOf(left.firstAt),
  count: (left, right) => right.count - left.count,
  name: (left, right) => (`${left.kind}\n${left.message}` < `${right.kind}\n${right.message}` ? -1 : 1),
};

const lettersIn = (groups: readonly FailureGroup[]): number =>
  groups.reduce((sum, { count }) => sum + count, 0);

const namesOf = (names: readonly string[]): string[] => [...new Set(names)].sort().slice(0, MOST_CHOICES);
