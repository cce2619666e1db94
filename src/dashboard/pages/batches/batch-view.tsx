import { Ago, Count } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { ActionForm } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText } from '../../ui/text.js';
import { Id, KeyValue } from '../../ui/text-blocks.js';
import { batchPath, messagePath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { BatchModel, BatchRow, DeadJob } from './model.js';
import { BatchProgress, BatchState } from './view.js';

export const BatchView: View<BatchModel> = ({ model, context }) => {
  const { id, problem, batch } = model;
  return (
    <>
      <PageHead title={batch?.name ?? id} above={[[`${context.base}/batches`, 'Batches']]}>
        {batch === undefined ? null : <Actions model={model} context={context} batch={batch} />}
      </PageHead>
      {problem === undefined ? null : <Notice tone="bad" title={problem} />}
      {batch === undefined ? null : <Figures batch={batch} />}
      {batch === undefined ? null : <Facts model={model} context={context} batch={batch} />}
      <DeadJobs model={model} context={context} />
    </>
  );
};

interface Parts {
  readonly model: BatchModel;
  readonly context: ViewContext;
  readonly batch: BatchRow;
}

const Actions = ({ model: { id, dead }, context, batch: { state, pending } }: Parts) => (
  <>
    {dead.count === 0 ? null : (
      <ActionForm
        context={context}
        path={`${batchPath(id)}/retry`}
        label="Retry failed jobs"
        kind="main"
        confirm={`${countedText(dead.count, 'dead letter')} of this batch will be replayed to the queues in which they failed.`}
      />
    )}
    {state === 'cancelled' || state === 'finished' ? null : (
      <ActionForm
        context={context}
        path={`${batchPath(id)}/cancel`}
        label="Cancel"
        kind="danger"
        confirm={`Up to ${countedText(pending, 'job')} that have not begun will be skipped, and the message for a failure is sent. Running jobs go on.`}
      />
    )}
  </>
);

const Figures = ({ batch }: Pick<Parts, 'batch'>) => (
  <Stats>
    <Stat label="Jobs">
      <Count value={batch.total} />
    </Stat>
    <Stat label="Pending">
      <Count value={batch.pending} />
    </Stat>
    <Stat label="Done">
      <Count value={batch.done} />
    </Stat>
    <Stat
      label="Failed"
      tone={batch.failed > 0 ? 'bad' : undefined}
      note={batch.allowsFailures ? 'failures are allowed' : 'the first cancels the batch'}
    >
      <Count value={batch.failed} />
    </Stat>
    <Stat label="Skipped" note="not run, because it was cancelled">
      <Count value={batch.skipped} />
    </Stat>
  </Stats>
);

const Facts = ({ model: { verdict, unsent }, context: { now }, batch }: Parts) => (
  <Panel title="Batch">
    <KeyValue
      of={[
        ['Id', <Id copy>{batch.id}</Id>],
        ['State', <BatchState batch={batch} />],
        ['Progress', <BatchProgress batch={batch} />],
        ['Decided', verdict],
        ['Not sent yet', unsent.length === 0 ? undefined : unsent.join(', ')],
        ['Created', <Ago at={batch.createdAt} now={now} />],
        ['Finished', batch.finishedAt === undefined ? undefined : <Ago at={batch.finishedAt} now={now} />],
      ]}
    />
  </Panel>
);

const columnsOf = ({ now }: ViewContext): readonly Column<DeadJob>[] => [
  { label: 'Job', kind: 'id', names: true, cell: ({ id }) => id },
  { label: 'Handler', cell: ({ handler }) => handler ?? 'not known' },
  { label: 'Error', cell: ({ error }) => error ?? 'nothing was thrown' },
  { label: 'Failed', kind: 'number', cell: ({ failedAt }) => <Ago at={failedAt} now={now} /> },
];

const DeadJobs: View<BatchModel> = ({ model: { dead }, context }) => (
  <Panel title="Failed jobs" aside={aside(dead)}>
    <Table
      caption="Dead letters of the batch's jobs"
      captionHidden
      columns={columnsOf(context)}
      rows={dead.jobs}
      keyOf={({ id, deadQueue }) => `${deadQueue} ${id}`}
      hrefOf={(job) => `${context.base}${messagePath(job)}`}
      empty={
        dead.isRead ? (
          <Empty title="None of its jobs is a dead letter" />
        ) : (
          <Empty title="The dead letters are not read yet">
            <p>They are being read; this page shows them once that is done.</p>
          </Empty>
        )
      }
    />
  </Panel>
);

const aside = ({ jobs, count, isAtLeast }: BatchModel['dead']) =>
  count === 0
    ? undefined
    : `${isAtLeast ? 'at least ' : ''}${countedText(count, 'dead letter')}${jobs.length < count ? `, the latest ${jobs.length}` : ''}`;
