import { JOB_STATES, type JobState } from '../../../message/job.js';
import { stateOf } from '../../../message/job-status.js';
import { knownJob } from '../../../oversight/jobs/known-jobs.js';
import type { JobStore, StoredJob } from '../../../stores/jobs.js';
import { answerOf } from '../../site/answer.js';
import { ofSegment } from '../addresses.js';
import { NotFound, type Page } from '../page.js';
import { choiceOf, textOf } from '../query.js';
import type { JobModel, JobsModel } from './model.js';
import { factsOf, rowOf } from './rows.js';

/** Jobs that are looked at. */
const NEWEST = 200;
const FRESH_MS = 2_000;
const STORE = 'the store of jobs';

export const jobs: Page<JobsModel> = {
  name: 'jobs',
  path: '/jobs',
  freshMs: FRESH_MS,
  title: () => 'Jobs',
  async load({ site, query }) {
    const text = textOf(query, 'text');
    const state = choiceOf(query, 'state', ['', ...JOB_STATES]);
    const { jobs: store, clock, letters } = site;
    const none = { text, state, jobs: [], isFull: false };
    if (!store) return { hasStore: false, problem: undefined, ...none };
    const now = clock.now();
    const { value, problem } = await answerOf(STORE, clock, () => found(store, { text, state, now }));
    if (!value) return { hasStore: true, problem, ...none };
    const rows = value.jobs.map((job) => rowOf(job, now, letters.redaction));
    return { hasStore: true, problem: undefined, ...none, jobs: rows, isFull: value.isFull };
  },
};

interface Wanted {
  readonly text: string;
  readonly state: JobState | '';
  readonly now: number;
}

/** The newest jobs that have the text in them, and whatever has it as its whole id, name or tag. */
async function found(store: JobStore, { text, state, now }: Wanted) {
  const search = { ...(state === '' ? {} : { state }), atMost: NEWEST };
  const newest = await store.list(search, now);
  const isFull = newest.length === NEWEST;
  if (text === '') return { jobs: newest, isFull };
  const [named, tagged] = await Promise.all([
    knownJob(store, text),
    store.list({ ...search, tag: text }, now),
  ]);
  const isWanted = named && (state === '' || stateOf(named, now) === state);
  const wanted = text.toLowerCase();
  const all = [
    ...(isWanted ? [named] : []),
    ...tagged,
    ...newest.filter((job) => wordsOf(job).toLowerCase().includes(wanted)),
  ];
  return { jobs: [...new Map(all.map((job) => [job.id, job])).values()], isFull };
}

const wordsOf = ({ id, name, tags, routingKey }: StoredJob): string =>
  [id, name, routingKey, ...tags].join('\n');

export const job: Page<JobModel> = {
  name: 'job',
  path: '/jobs/:job',
  freshMs: FRESH_MS,
  title: ({ job: its, id }) => `Job ${its?.name ?? id}`,
  async load({ site, params }) {
    const { jobs: store, clock, letters } = site;
    const id = ofSegment(params.job);
    if (!store) throw new NotFound('the dashboard was given no store of jobs');
    const { value, problem } = await answerOf(STORE, clock, async () => ({
      stored: await knownJob(store, id),
    }));
    if (!value) return { id, problem, job: undefined };
    if (!value.stored)
      throw new NotFound(`no job '${id}' is known: they are forgotten a while after their end`);
    return { id, problem, job: factsOf(value.stored, clock.now(), letters.redaction) };
  },
};
