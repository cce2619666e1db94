import type { ComponentChildren } from 'preact';
import type { RunningMessage } from '../../site/seen.js';
import { Count, DurationText } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { ActionForm } from '../../ui/form.js';
import { type Column, Table } from '../../ui/table.js';
import { durationText } from '../../ui/text.js';
import { searchPath } from '../addresses.js';
import type { ViewContext } from '../view.js';

export interface RunningTableProps {
  readonly rows: readonly RunningMessage[];
  readonly context: ViewContext;
  readonly empty: ComponentChildren;
}

/** Messages whose handlers run. */
export const RunningTable = ({ rows, context, empty }: RunningTableProps) => (
  <Table
    caption="Messages that run now, the longest first"
    captionHidden
    columns={columnsOf(context)}
    rows={rows}
    keyOf={({ host, pid, queue, handler, messageId, attempt }) =>
      [host, pid, queue, handler, messageId, attempt].join(' ')
    }
    hrefOf={({ messageId }) =>
      messageId === undefined ? undefined : `${context.base}${searchPath(messageId)}`
    }
    empty={empty}
  />
);

/** An attempt is slow if it takes as many times as long as the median. */
const SLOW = 4;

function toneOf({ runningMs, medianMs, timeoutMs }: RunningMessage): 'bad' | 'warn' | undefined {
  if (runningMs > timeoutMs) return 'bad';
  return medianMs !== undefined && runningMs > medianMs * SLOW && runningMs > 1_000 ? 'warn' : undefined;
}

/** The bar is full at the timeout, and has a mark at the median. */
function Against({ of }: { readonly of: RunningMessage }) {
  const { runningMs, medianMs, timeoutMs } = of;
  const median = medianMs === undefined ? 'no median is known' : `the median is ${durationText(medianMs)}`;
  const label = `has run for ${durationText(runningMs)} of at most ${durationText(timeoutMs)}; ${median}`;
  return (
    <span class="bar" title={label}>
      <Meter
        share={runningMs / Math.max(1, timeoutMs)}
        label={label}
        tone={toneOf(of)}
        mark={medianMs === undefined ? undefined : medianMs / Math.max(1, timeoutMs)}
      />
    </span>
  );
}

const columnsOf = (context: ViewContext): readonly Column<RunningMessage>[] => [
  { label: 'Message', kind: 'id', names: true, cell: ({ messageId }) => messageId ?? 'without an id' },
  { label: 'Handler', kind: 'id', cell: ({ handler, queue }) => `${queue} · ${handler}` },
  {
    label: 'Runs for',
    kind: 'number',
    cell: (row) => <DurationText value={row.runningMs} tone={toneOf(row)} />,
  },
  {
    label: 'Median',
    kind: 'number',
    cell: ({ medianMs }) => <DurationText value={medianMs} why="no attempt has ended lately" />,
  },
  {
    label: 'Of its timeout',
    hint: 'full at the timeout, with a mark at the median',
    cell: (row) => <Against of={row} />,
  },
  { label: 'Timeout', kind: 'number', cell: ({ timeoutMs }) => <DurationText value={timeoutMs} /> },
  { label: 'Attempt', kind: 'number', cell: ({ attempt }) => <Count value={attempt} /> },
  { label: 'Process', kind: 'id', cell: ({ service, host, pid }) => `${service} · ${host} · ${pid}` },
  ...(context.mayAct
    ? [{ label: 'Do', cell: (row: RunningMessage) => <Cancel of={row} context={context} /> }]
    : []),
];

const Cancel = ({
  of: { messageId, handler },
  context,
}: {
  readonly of: RunningMessage;
  readonly context: ViewContext;
}) =>
  messageId === undefined ? null : (
    <ActionForm
      context={context}
      path="/running/cancel"
      label="Cancel"
      kind="danger"
      title={`Cancel ${messageId}`}
      fields={{ message: messageId }}
      confirm={`The signal of '${handler}' fires for message ${messageId}. If the handler then throws, the message is dead-lettered as cancelled and not tried again; a handler that ignores its signal goes on.`}
    />
  );
