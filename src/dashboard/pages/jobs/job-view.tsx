import type { ComponentChildren } from 'preact';
import { Ago } from '../../ui/figures/figures.js';
import { addressOf } from '../../ui/filter.js';
import { ActionForm } from '../../ui/form.js';
import { Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { countText } from '../../ui/text.js';
import { Code, Id, KeyValue } from '../../ui/text-blocks.js';
import { jobPath, messagePath, queuePath, searchPath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { JobFacts, JobModel } from './model.js';
import { JobProgress, JobStateWord } from './view.js';

export const JobView: View<JobModel> = ({ model: { id, problem, job }, context }) => (
  <>
    <PageHead title={job?.name ?? id} above={[[`${context.base}/jobs`, 'Jobs']]}>
      {job === undefined ? null : <Actions job={job} context={context} />}
    </PageHead>
    {problem === undefined ? null : <Notice tone="bad" title={problem} />}
    {job === undefined ? null : <Facts job={job} context={context} />}
    {job === undefined ? null : <Outcome job={job} />}
  </>
);

interface Parts {
  readonly job: JobFacts;
  readonly context: ViewContext;
}

const Actions = ({ job: { id, state, queue, isCancelling }, context }: Parts) => (
  <>
    {state === 'dead-lettered' ? (
      <ActionForm
        context={context}
        path={`${jobPath(id)}/retry`}
        label="Retry"
        kind="main"
        confirm={`Its dead letter will be replayed to ${queue ?? 'the queue in which it failed'}.`}
      />
    ) : null}
    {isCancelling || !['waiting', 'delayed', 'running'].includes(state) ? null : (
      <ActionForm
        context={context}
        path={`${jobPath(id)}/cancel`}
        label="Cancel"
        kind="danger"
        confirm={
          state === 'running'
            ? 'The signal of its handler is fired, and it does not begin again.'
            : 'It will not run: its message is dropped when it arrives.'
        }
      />
    )}
  </>
);

const Facts = ({ job, context }: Parts) => {
  const { base, now } = context;
  const { id, name, tags, run, queue, state, deadQueue } = job;
  return (
    <Panel title="Job">
      <KeyValue
        of={[
          ['Id', <Id copy>{id}</Id>],
          ['Name', name],
          ['Tags', tags.length === 0 ? undefined : <Tags tags={tags} base={base} />],
          ['State', <JobStateWord job={job} />],
          ['Progress', <JobProgress job={job} />],
          ['Runs', run && <Run run={run} now={now} />],
          ['Attempt', job.attempt === 0 ? 'none yet' : countText(job.attempt)],
          ['Routing key', job.routingKey],
          ['Queue', queue && <a href={`${base}${queuePath(queue)}`}>{queue}</a>],
          ['Handler', job.handler],
          ['Sent by', job.service],
          ['Sent', <Ago at={job.sentAt} now={now} />],
          ['Due', agoOf(job.dueAt, now)],
          ['First begun', agoOf(job.startedAt, now)],
          ['Ended', agoOf(job.endedAt, now)],
          ['Reason', job.reason],
          [
            'Dead letter',
            state === 'dead-lettered' && deadQueue !== undefined ? (
              <a href={`${base}${messagePath({ deadQueue, id })}`}>{deadQueue}</a>
            ) : undefined,
          ],
          ['Message', <a href={`${base}${searchPath(id)}`}>All that is known under its id</a>],
        ]}
      />
    </Panel>
  );
};

const agoOf = (at: number | undefined, now: number): ComponentChildren =>
  at === undefined ? undefined : <Ago at={at} now={now} />;

const Run = ({ run, now }: { readonly run: NonNullable<JobFacts['run']>; readonly now: number }) => (
  <>
    {`on ${run.host}, process ${run.pid}, since `}
    <Ago at={run.since} now={now} />
  </>
);

const Tags = ({ tags, base }: { readonly tags: readonly string[]; readonly base: string }) => (
  <>
    {tags.map((tag, index) => (
      <>
        {index === 0 ? null : ' '}
        <a key={tag} href={addressOf(`${base}/jobs`, { text: tag })}>
          {tag}
        </a>
      </>
    ))}
  </>
);

const Outcome = ({ job: { error, result, resultProblem, state } }: Pick<Parts, 'job'>) => (
  <>
    {error === undefined ? null : (
      <Panel title={state === 'dead-lettered' ? 'Error' : 'Error of the last attempt that failed'} wide>
        <Code label="Error" text={error} copy />
      </Panel>
    )}
    {result === undefined ? null : (
      <Panel title="Result" wide aside={result.isCut ? 'cut' : undefined}>
        <Code label="JSON" text={result.text} copy />
      </Panel>
    )}
    {resultProblem === undefined ? null : (
      <Notice tone="quiet" title={`Its result is not shown: ${resultProblem}`} />
    )}
  </>
);
