import { Ago, Count } from '../../ui/figures/figures.js';
import { Sparkline } from '../../ui/figures/sparkline.js';
import { Empty, Notice } from '../../ui/notice.js';
import { Panel } from '../../ui/page-head.js';
import { State } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import { groupPath, operationPath } from '../addresses.js';
import { TONES } from '../failures/group-state.js';
import type { Part, View, ViewContext } from '../view.js';
import type { NewGroup, OverviewModel, RunningOperation } from './model.js';

const groupColumns = ({ now }: ViewContext): readonly Column<NewGroup>[] => [
  {
    label: 'Failure',
    names: true,
    cell: ({ kind, message }) => <span class="cut">{message === '' ? kind : `${kind}: ${message}`}</span>,
  },
  { label: 'Handler', kind: 'id', cell: ({ handler, queue }) => `${queue} · ${handler}` },
  { label: 'State', cell: ({ state }) => <State tone={TONES[state]}>{state}</State> },
  { label: 'Dead letters', kind: 'number', cell: ({ count }) => <Count value={count} /> },
  {
    label: 'Last day',
    cell: ({ sparkline, count }) => (
      <Sparkline
        tone="bad"
        values={sparkline}
        label={`${countText(sum(sparkline))} of ${countText(count)} within a day`}
      />
    ),
  },
  {
    label: 'Last',
    kind: 'number',
    cell: ({ lastAt }) => <Ago at={lastAt} now={now} why="no letter tells when it failed" />,
  },
];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The groups of dead letters that failed last. */
export const NewFailures: View<OverviewModel> = ({ model: { groups, groupCount, index }, context }) => (
  <Panel
    title="Latest failures"
    aside={
      groupCount === 0 ? undefined : (
        <a href={`${context.base}/failures`}>
          {`${countedText(index.letters, 'dead letter')} in ${countedText(groupCount, 'group')}`}
        </a>
      )
    }
  >
    {index.problem === undefined ? null : (
      <Notice tone="warn" title="The dead letters could not be read">
        {index.problem}
      </Notice>
    )}
    <Table
      caption="Groups of dead letters that failed last"
      captionHidden
      columns={groupColumns(context)}
      rows={groups}
      keyOf={({ id }) => id}
      hrefOf={({ id }) => `${context.base}${groupPath(id)}`}
      empty={<NoFailure of={index} />}
    />
  </Panel>
);

function NoFailure({ of: { state, progress } }: { readonly of: OverviewModel['index'] }) {
  if (state === 'current') return <Empty title="There is no dead letter" />;
  const read = progress === undefined ? '' : `: ${countText(progress.read)} of ${countText(progress.of)}`;
  return (
    <Empty
      title={
        state === 'reading'
          ? `The dead letters are being read${read}`
          : state === 'stale'
            ? 'Not known at the moment'
            : 'The dead letters have not been read yet'
      }
    />
  );
}

const operationColumns = ({ now }: ViewContext): readonly Column<RunningOperation>[] => [
  { label: 'Operation', names: true, cell: ({ kind }) => kind },
  { label: 'State', cell: ({ state }) => state },
  {
    label: 'Done',
    cell: ({ done, total }) => (
      <span class="bar">
        <progress
          max={Math.max(1, total)}
          value={done}
          aria-label={`${countText(done)} of ${countText(total)}`}
        />
        <span class="num">{`${countText(done)} of ${countText(total)}`}</span>
      </span>
    ),
  },
  {
    label: 'Failed',
    kind: 'number',
    cell: ({ failed }) => <Count value={failed} tone={failed > 0 ? 'bad' : undefined} />,
  },
  { label: 'By', cell: ({ by }) => by },
  { label: 'Begun', kind: 'number', cell: ({ startedAt }) => <Ago at={startedAt} now={now} /> },
];

/** What operators do with dead letters at the moment; nothing while they do nothing. */
export const Operations: Part<OverviewModel> = ({ model: { operations, operationsProblem }, context }) =>
  operations.length === 0 && operationsProblem === undefined ? null : (
    <Panel title="Running operations" aside={<a href={`${context.base}/operations`}>All operations</a>}>
      {operationsProblem === undefined ? null : <Notice tone="warn" title={operationsProblem} />}
      <Table
        caption="Running operations"
        captionHidden
        columns={operationColumns(context)}
        rows={operations}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${operationPath(id)}`}
        empty={null}
      />
    </Panel>
  );
