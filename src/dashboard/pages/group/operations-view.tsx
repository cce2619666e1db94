import { Notice } from '../../ui/notice.js';
import { Panel } from '../../ui/page-head.js';
import { Table } from '../../ui/table.js';
import { operationPath } from '../addresses.js';
import {
  OperationBy,
  OperationLink,
  OperationProgress,
  OperationStateView,
  StopButton,
} from '../operations/operation-parts.js';
import { KINDS } from '../operations/words.js';
import type { ViewContext } from '../view.js';
import type { GroupModel } from './model.js';

interface Props {
  readonly model: GroupModel;
  readonly context: ViewContext;
}

/** What is being done to the group, or to others in its queues, and what was done last. */
export const GroupOperations = ({ model: { operations, holds, operationsProblem }, context }: Props) => (
  <>
    {operationsProblem === undefined ? null : (
      <Notice tone="warn" title="Operations are not known">
        <p>{operationsProblem}</p>
      </Notice>
    )}
    {holds === undefined ? null : (
      <Notice tone="warn" title={`${KINDS[holds.kind]} is under way on ${holds.deadQueues.join(', ')}`}>
        <p>
          <OperationLink operation={holds} context={context} /> by{' '}
          <OperationBy operation={holds} context={context} />. Nothing else can begin there until it is over.
        </p>
        <OperationProgress operation={holds} />
        <StopButton operation={holds} context={context} />
      </Notice>
    )}
    {operations.length === 0 ? null : (
      <Panel title="Done with it" wide>
        <Table
          caption="Operations on this group"
          captionHidden
          rows={operations}
          keyOf={({ id }) => id}
          hrefOf={({ id }) => `${context.base}${operationPath(id)}`}
          columns={[
            { label: 'Operation', names: true, cell: ({ kind }) => KINDS[kind] },
            { label: 'State', cell: (operation) => <OperationStateView operation={operation} /> },
            { label: 'Progress', cell: (operation) => <OperationProgress operation={operation} /> },
            { label: 'By', cell: (operation) => <OperationBy operation={operation} context={context} /> },
            { label: 'Why it ended', cell: ({ why }) => why ?? '' },
          ]}
        />
      </Panel>
    )}
  </>
);
