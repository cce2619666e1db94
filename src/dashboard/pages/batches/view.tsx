import { Ago, Count } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { addressOf, Filter } from '../../ui/filter.js';
import { Field } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import { State, type Tone } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import { batchPath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { BatchesModel, BatchRow } from './model.js';

const TONES: Readonly<Record<BatchRow['state'], Tone>> = {
  ...{ dispatching: 'quiet', running: 'quiet', finished: 'good', cancelled: 'warn' },
};

export const BatchState = ({ batch: { state, failed } }: { readonly batch: BatchRow }) => (
  <State tone={state === 'finished' && failed > 0 ? 'warn' : TONES[state]}>{state}</State>
);

export const BatchProgress = ({ batch: { progress, total, pending } }: { readonly batch: BatchRow }) => (
  <span class="progress">
    <Meter
      share={progress / 100}
      label={`${countText(total - pending)} of ${countedText(total, 'job')} ended`}
    />
    <span class="num">{`${progress}\u00a0%`}</span>
  </span>
);

const columnsOf = ({ now }: ViewContext): readonly Column<BatchRow>[] => [
  { label: 'Batch', names: true, cell: ({ name }) => name },
  { label: 'State', cell: (batch) => <BatchState batch={batch} /> },
  { label: 'Progress', cell: (batch) => <BatchProgress batch={batch} /> },
  { label: 'Jobs', kind: 'number', cell: ({ total }) => <Count value={total} /> },
  { label: 'Pending', kind: 'number', cell: ({ pending }) => <Count value={pending} /> },
  {
    label: 'Failed',
    kind: 'number',
    cell: ({ failed }) => <Count value={failed} tone={failed > 0 ? 'bad' : undefined} />,
  },
  { label: 'Skipped', kind: 'number', cell: ({ skipped }) => <Count value={skipped} /> },
  { label: 'Created', kind: 'number', cell: ({ createdAt }) => <Ago at={createdAt} now={now} /> },
  { label: 'Id', kind: 'id', cell: ({ id }) => id },
];

export const BatchesView: View<BatchesModel> = ({ model, context }) => (
  <>
    <PageHead
      title="Batches"
      lead="Jobs that are handled in parallel, and what is sent when they have ended."
    />
    {model.hasStore ? <Stored model={model} context={context} /> : <NoStore />}
  </>
);

const NoStore = () => (
  <Empty title="The dashboard was given no store of batches">
    <p>
      Batches are kept in Redis or PostgreSQL. Start <code>hopline dashboard</code> with{' '}
      <code>REDIS_URL</code> or <code>DATABASE_URL</code>, or give <code>dashboard()</code> the{' '}
      <code>stores</code> that the services have.
    </p>
  </Empty>
);

const Stored: View<BatchesModel> = ({ model, context }) => {
  const { problem, text, batches, looked, isFull } = model;
  return (
    <>
      {problem === undefined ? null : <Notice tone="bad" title={problem} />}
      <Filter href={addressOf(`${context.base}/batches`, {})} label="Filter batches">
        <Field name="text" label="Id or name" type="search" value={text} />
      </Filter>
      <Table
        caption={isFull ? `The newest ${countText(looked)} batches` : 'Batches'}
        columns={columnsOf(context)}
        rows={batches}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${batchPath(id)}`}
        empty={problem === undefined ? <NoBatch text={text} isFull={isFull} /> : null}
      />
    </>
  );
};

const NoBatch = ({ text, isFull }: Pick<BatchesModel, 'text' | 'isFull'>) =>
  text === '' ? (
    <Empty title="No batch is in the store">
      <p>
        <code>bus.batch([…]).dispatch()</code> makes one. Batches are forgotten a while after their last
        change.
      </p>
    </Empty>
  ) : (
    <Empty title={`No batch has '${text}' in its id or name`}>
      {isFull ? <p>Only the newest are looked at; an older one is found by its whole id.</p> : null}
    </Empty>
  );
