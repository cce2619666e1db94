import { lineOfOthers } from '../../letters/lines-of-others.js';
import { answerOf } from '../../site/answer.js';
import type { Page } from '../page.js';
import type { OutboxModel } from './model.js';

const FRESH_MS = 2_000;

/** A relay looks at least every few seconds, and pauses for 30 s at most while broker or database are away. */
const LATE_MS = 60_000;

export const outbox: Page<OutboxModel> = {
  name: 'outbox',
  path: '/outbox',
  freshMs: FRESH_MS,
  title: () => 'Outbox',
  async load({ site }) {
    const none = { waiting: undefined, lagMs: undefined, refused: [], isLate: false };
    const store = site.outbox;
    if (!store) return { hasStore: false, problem: undefined, ...none };
    const { value, problem } = await answerOf("the outbox's database", site.clock, () => store.backlog());
    if (!value) return { hasStore: true, problem, ...none };
    const { waiting, lagMs, refused } = value;
    return {
      hasStore: true,
      problem: undefined,
      waiting,
      lagMs,
      refused: refused.map((entry) => ({
        ...entry,
        error: lineOfOthers(entry.error, site.letters.redaction),
      })),
      isLate: lagMs > LATE_MS && refused.length === 0,
    };
  },
};
