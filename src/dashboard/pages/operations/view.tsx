import { Ago } from '../../ui/figures/figures.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { operationPath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { OperationRow, OperationsModel } from './model.js';
import {
  OperationBy,
  OperationProgress,
  OperationStateView,
  OperationSubject,
  StopButton,
} from './operation-parts.js';
import { KINDS, STAGES } from './words.js';

export const OperationsView: View<OperationsModel> = ({ model: { running, ended, problem }, context }) => (
  <>
    <PageHead
      title="Operations"
      lead="What operators do with dead letters. An operation outlives its dashboard: another process takes it on."
    />
    {problem === undefined ? null : (
      <Notice tone="bad" title="Operations are not known">
        <p>{problem}</p>
      </Notice>
    )}
    <Panel title="Under way" wide>
      <Table
        caption="Operations under way"
        captionHidden
        rows={running}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${operationPath(id)}`}
        columns={[
          ...columnsOf(context),
          { label: 'Stage', cell: ({ canary }) => (canary ? STAGES[canary.stage] : '') },
          { label: 'Stop', cell: (operation) => <StopButton operation={operation} context={context} /> },
        ]}
        empty={
          <Empty title="No operation is under way">
            <p>
              Choose a group of <a href={`${context.base}/failures`}>failures</a> to retry or forget its dead
              letters.
            </p>
          </Empty>
        }
      />
    </Panel>
    <Panel title="Ended" wide>
      <Table
        caption="Ended operations"
        captionHidden
        rows={ended}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${operationPath(id)}`}
        columns={[
          ...columnsOf(context),
          {
            label: 'Ended',
            kind: 'number',
            cell: ({ endedAt }) => <Ago at={endedAt} now={context.now} why="it was not written down" />,
          },
          { label: 'Why', cell: ({ why }) => why ?? '' },
        ]}
        empty={
          <Empty title="None has ended within a week">
            <p>The last hundred are kept for a week.</p>
          </Empty>
        }
      />
    </Panel>
  </>
);

const columnsOf = (context: ViewContext): readonly Column<OperationRow>[] => [
  { label: 'Operation', names: true, cell: ({ kind }) => KINDS[kind] },
  { label: 'State', cell: (operation) => <OperationStateView operation={operation} /> },
  { label: 'Of', cell: (operation) => <OperationSubject operation={operation} context={context} /> },
  { label: 'Progress', cell: (operation) => <OperationProgress operation={operation} /> },
  { label: 'By', cell: (operation) => <OperationBy operation={operation} context={context} /> },
];
