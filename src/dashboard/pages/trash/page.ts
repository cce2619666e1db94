import type { TrashedLetter } from '../../../failures/options.js';
import { lineOfOthers } from '../../letters/lines-of-others.js';
import type { Redaction } from '../../letters/redaction.js';
import type { Page } from '../page.js';
import { offsetOf } from '../query.js';
import type { TrashModel, TrashRow } from './model.js';

const LIMIT = 100;
const KEPT_MS = 24 * 3_600_000;

/** Dead letters that were forgotten, for the day for which they can be restored. */
export const trash: Page<TrashModel> = {
  name: 'trash',
  path: '/trash',
  freshMs: 5_000,
  title: ({ count }) => (count === 0 ? 'Trash' : `Trash (${count})`),
  async load({ site, query }) {
    const { letters, count, readAt, problem } = await site.letters.trash.read();
    const offset = offsetOf(query);
    const latest = (letters ?? []).toReversed();
    return {
      state: problem === undefined ? (letters ? 'read' : 'reading') : 'failed',
      problem,
      readAt,
      count,
      listed: latest.length,
      offset,
      limit: LIMIT,
      rows: latest.slice(offset, offset + LIMIT).map((letter) => rowOf(letter, site.letters.redaction)),
    };
  },
};

function rowOf(
  { id, routingKey, reason, error, failedAt, trashed }: TrashedLetter,
  redaction: Redaction,
): TrashRow {
  const at = trashed?.at.getTime();
  return {
    ...{ id, routingKey, reason, deadQueue: trashed?.deadQueue, by: trashed?.by, at },
    error: error === undefined ? undefined : lineOfOthers(error, redaction),
    failedAt: failedAt?.getTime(),
    until: at === undefined ? undefined : at + KEPT_MS,
  };
}
