import type { FailureGroup } from '../../../failures/groups/group.js';
import { isForeign } from '../../../failures/letters/foreign-story.js';
import { deadQueueOf, workQueueOf } from '../../../topology/names.js';
import { pause } from '../../../util/clock.js';
import type { Site } from '../../site/site.js';
import { ofSegment } from '../addresses.js';
import { rowOf } from '../failures/rows.js';
import { holderOf, operationsOf } from '../operations/known.js';
import { rowsOf } from '../operations/rows.js';
import { NotFound, type Page } from '../page.js';
import { choiceOf, offsetOf, textOf } from '../query.js';
import { exampleOf } from './example.js';
import { letterRowOf } from './letter-rows.js';
import type { GroupModel, GroupSpan } from './model.js';

const LIMIT = 50;
const PARTS = 60;
const HOUR_MS = 3_600_000;
/** Time for the first reading of the dead letters, when somebody comes by a link. */
const FIRST_READ_MS = 2_000;
/** Ended operations that are listed. */
const LAST_OPERATIONS = 5;

const SPANS: Readonly<Record<GroupSpan, number>> = {
  hour: HOUR_MS,
  day: 24 * HOUR_MS,
  week: 7 * 24 * HOUR_MS,
  month: 30 * 24 * HOUR_MS,
};

/** The dead letters that failed in the same way, what they have in common, and what can be done with them. */
export const group: Page<GroupModel> = {
  name: 'group',
  path: '/failures/:group',
  freshMs: 2_000,
  title: ({ group: { kind, message } }) => `${kind}: ${message}`.slice(0, 80),
  async load({ site, params, query }) {
    const span = choiceOf(query, 'span', ['day', 'hour', 'week', 'month']);
    const found = await groupOf(site, ofSegment(params.group), SPANS[span]);
    const [text, offset] = [textOf(query, 'text'), offsetOf(query)];
    const { letters, count } = site.index.letters({ group: found.id, text, offset, limit: LIMIT });
    const [latest] = letters.length > 0 ? letters : site.index.letters({ group: found.id, limit: 1 }).letters;
    const [example, operations] = await Promise.all([
      latest && exampleOf(site, latest, letters),
      operationsIn(site, found),
    ]);
    return {
      group: rowOf(found, site.letters.redaction),
      isOthers: (latest && isForeign(latest.by)) || found.deadQueues.some((queue) => isOthers(queue, site)),
      index: site.index.state,
      ...{ span, spanMs: SPANS[span], example, text, count, offset, limit: LIMIT },
      rows: letters.map((letter) => letterRowOf(letter, site.letters.redaction)),
      ...operations,
    };
  },
};

const isOthers = (deadQueue: string, { names }: Site): boolean =>
  deadQueueOf(workQueueOf(deadQueue)) !== deadQueue && deadQueue !== names.delayLost;

/** @throws NotFound */
async function groupOf(site: Site, id: string, spanMs: number): Promise<FailureGroup> {
  const read = site.index.refresh();
  if (site.index.state.readAt === undefined) await Promise.race([read, pause(site.clock, FIRST_READ_MS)]);
  const found = (await site.index.groups({ spanMs, parts: PARTS })).find((each) => each.id === id);
  if (found) return found;
  throw new NotFound(
    site.index.state.readAt === undefined
      ? 'the dead letters are still being read: load the page again in a moment'
      : `no dead letter is in the group '${id}' any more: they were replayed, or forgotten`,
  );
}

async function operationsIn(
  site: Site,
  { id, deadQueues }: FailureGroup,
): Promise<Pick<GroupModel, 'operations' | 'holds' | 'operationsProblem'>> {
  const { value: all = [], problem } = await operationsOf(site);
  const holder = holderOf(all, deadQueues);
  const own = all.filter(({ selection }) => 'group' in selection && selection.group === id);
  const rows = await rowsOf([...(holder ? [holder] : []), ...own.slice(0, LAST_OPERATIONS)], site);
  const holds = holder && rows.shift();
  return { operations: rows, holds, operationsProblem: problem };
}
