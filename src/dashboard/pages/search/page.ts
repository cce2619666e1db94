import type { FailureGroup } from '../../../failures/groups/group.js';
import { knownJob } from '../../../oversight/jobs/known-jobs.js';
import { type Answer, answerOf } from '../../site/answer.js';
import type { RunningMessage } from '../../site/seen.js';
import type { Site } from '../../site/site.js';
import { rowOf } from '../failures/rows.js';
import { letterRowOf } from '../group/letter-rows.js';
import type { Page } from '../page.js';
import { offsetOf, textOf } from '../query.js';
import type { FoundBatch, FoundJob, SearchModel } from './model.js';

const LIMIT = 50;
/** Of what is beside the letters: more is found on the page of its kind. */
const FEW = 20;

/** Everything that is known under an id or a text: dead letters, groups, running messages, a job, a batch, queues and handlers. */
export const search: Page<SearchModel> = {
  name: 'search',
  path: '/search',
  freshMs: undefined,
  title: ({ text }) => (text === '' ? 'Search' : `Search: ${text}`).slice(0, 80),
  async load({ site, query }) {
    const [text, offset] = [textOf(query, 'q'), offsetOf(query)];
    void site.index.refresh();
    const nothing = { text, offset, limit: LIMIT, index: site.index.state };
    if (text === '') return { ...nothing, ...NONE };
    const occurs = occurrence(text);
    const [groups, running, job, batch] = await Promise.all([
      site.index.groups(),
      answerOf('the workers', site.clock, () => site.watch.running()),
      jobOf(site, text),
      batchOf(site, text),
    ]);
    const { letters, count } = site.index.letters({ text, offset, limit: LIMIT });
    const { queues = [], handlers = [] } = site.watch.seen ?? {};
    return {
      ...nothing,
      letters: letters.map((letter) => letterRowOf(letter, site.letters.redaction)),
      letterCount: count,
      groups: few(groups.filter((group) => occurs(...wordsOf(group)))).map((group) =>
        rowOf(group, site.letters.redaction),
      ),
      running: few((running.value ?? []).filter((each) => occurs(...idsOf(each)))),
      job: job?.value,
      batch: batch?.value,
      queues: few(queues.map(({ queue }) => queue).filter((queue) => occurs(queue))),
      handlers: few(
        handlers
          .filter(({ handler, service }) => occurs(handler, service))
          .map(({ service, queue, handler }) => ({ service, queue, handler })),
      ),
      unknown: [running.problem, job?.problem, batch?.problem].filter((problem) => problem !== undefined),
    };
  },
};

const NONE = {
  ...{ letters: [], letterCount: 0, groups: [], running: [], job: undefined, batch: undefined },
  ...{ queues: [], handlers: [], unknown: [] },
};

const few = <T>(all: readonly T[]): T[] => all.slice(0, FEW);

function occurrence(text: string): (...words: (string | undefined)[]) => boolean {
  const wanted = text.toLowerCase();
  return (...words) => words.some((word) => word?.toLowerCase().includes(wanted));
}

const wordsOf = ({ id, kind, message, place, handler, queue, note, since }: FailureGroup) => [
  ...[id, kind, `${kind}: ${message}`, place, handler, queue, note, since],
];

const idsOf = ({ messageId, routingKey, chainId, batchId, handler, queue }: RunningMessage) => [
  ...[messageId, routingKey, chainId, batchId, handler, queue],
];

/** The job of this id or name; undefined without a store. */
async function jobOf(site: Site, idOrName: string): Promise<Answer<FoundJob | undefined> | undefined> {
  const { jobs } = site;
  if (!jobs) return undefined;
  return answerOf('the store of jobs', site.clock, async () => {
    const found = await knownJob(jobs, idOrName);
    return found && { id: found.id, name: found.name };
  });
}

/** The batch of this id; undefined without a store. */
async function batchOf(site: Site, id: string): Promise<Answer<FoundBatch | undefined> | undefined> {
  const { batches } = site;
  if (!batches) return undefined;
  return answerOf('the store of batches', site.clock, async () => {
    const found = await batches.find(id);
    return found && { id: found.id, name: found.name };
  });
}
