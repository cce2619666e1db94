import { Ago } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { addressOf, Filter } from '../../ui/filter.js';
import { Field, Select } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import { State, type Tone } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countText } from '../../ui/text.js';
import { jobPath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { JobRow, JobsModel } from './model.js';

const TONES: Readonly<Record<JobRow['state'], Tone>> = {
  ...{ waiting: 'quiet', delayed: 'quiet', running: 'quiet', done: 'good' },
  ...{ 'dead-lettered': 'bad', discarded: 'warn', cancelled: 'warn' },
};

export const JobStateWord = ({ job: { state, isCancelling } }: { readonly job: JobRow }) => (
  <State tone={TONES[state]}>{isCancelling ? `${state}, cancelled` : state}</State>
);

export const JobProgress = ({ job: { percent, note } }: { readonly job: JobRow }) =>
  percent === undefined ? (
    <span class="quiet">not told</span>
  ) : (
    <span class="progress">
      <Meter share={percent / 100} label={`${percent} percent, by its handler's word`} />
      <span class="num">{`${percent}\u00a0%`}</span> {note}
    </span>
  );

const columnsOf = ({ now }: ViewContext): readonly Column<JobRow>[] => [
  { label: 'Job', names: true, kind: 'id', cell: ({ id, name }) => name ?? id },
  { label: 'State', cell: (job) => <JobStateWord job={job} /> },
  { label: 'Progress', cell: (job) => <JobProgress job={job} /> },
  { label: 'Routing key', cell: ({ routingKey }) => routingKey },
  { label: 'Attempt', kind: 'number', cell: ({ attempt }) => (attempt === 0 ? '' : countText(attempt)) },
  { label: 'Sent', kind: 'number', cell: ({ sentAt }) => <Ago at={sentAt} now={now} /> },
  {
    label: 'Ended',
    kind: 'number',
    cell: ({ endedAt }) => (endedAt === undefined ? '' : <Ago at={endedAt} now={now} />),
  },
  { label: 'Tags', cell: ({ tags }) => tags.join(' ') },
];

export const JobsView: View<JobsModel> = ({ model, context }) => (
  <>
    <PageHead title="Jobs" lead="Messages that were sent with track or a name: where each of them is." />
    {model.hasStore ? <Stored model={model} context={context} /> : <NoStore />}
  </>
);

const NoStore = () => (
  <Empty title="The dashboard was given no store of jobs">
    <p>
      Records of jobs are kept in Redis or PostgreSQL. Start <code>hopline dashboard</code> with{' '}
      <code>REDIS_URL</code> or <code>DATABASE_URL</code>, or give <code>dashboard()</code> the{' '}
      <code>stores</code> that the services have.
    </p>
  </Empty>
);

const STATES: readonly (readonly [JobsModel['state'], string])[] = [
  ['', 'all'],
  ...(Object.keys(TONES) as JobRow['state'][]).map((state) => [state, state] as const),
];

const Stored: View<JobsModel> = ({ model, context }) => {
  const { problem, text, state, jobs, isFull } = model;
  return (
    <>
      {problem === undefined ? null : <Notice tone="bad" title={problem} />}
      <Filter href={addressOf(`${context.base}/jobs`, {})} label="Filter jobs">
        <Field name="text" label="Id, name or tag" type="search" value={text} />
        <Select name="state" label="State" value={state} options={STATES} />
      </Filter>
      <Table
        caption={isFull && text === '' ? `The newest ${countText(jobs.length)} jobs` : 'Jobs'}
        columns={columnsOf(context)}
        rows={jobs}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${jobPath(id)}`}
        empty={problem === undefined ? <NoJob model={model} /> : null}
      />
    </>
  );
};

const NoJob = ({ model: { text, state, isFull } }: { readonly model: JobsModel }) =>
  text === '' && state === '' ? (
    <Empty title="No job is in the store">
      <p>
        <code>bus.send(key, payload, {'{ track: true }'})</code> makes one. Jobs are forgotten a while after
        their end.
      </p>
    </Empty>
  ) : (
    <Empty title="No job is so">
      {isFull ? (
        <p>Only the newest are looked at; an older one is found by its whole id, name or tag.</p>
      ) : null}
    </Empty>
  );
