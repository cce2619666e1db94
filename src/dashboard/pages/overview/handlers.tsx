import { Count, DurationText } from '../../ui/figures/figures.js';
import { Sparkline } from '../../ui/figures/sparkline.js';
import { Empty } from '../../ui/notice.js';
import { Panel } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countText } from '../../ui/text.js';
import { handlerPath } from '../handlers/handler-path.js';
import type { View } from '../view.js';
import type { HandlerHour, OverviewModel } from './model.js';

const NOTHING_YET = 'nothing was counted yet';

const COLUMNS: readonly Column<HandlerHour>[] = [
  { label: 'Handler', kind: 'id', names: true, cell: ({ handler }) => handler },
  { label: 'Queue', kind: 'id', cell: ({ queue }) => queue },
  { label: 'Handled', kind: 'number', cell: ({ handled }) => <Count value={handled} why={NOTHING_YET} /> },
  {
    label: 'Over the hour',
    cell: ({ throughput, handled }) => (
      <Sparkline
        values={throughput.values}
        label={handled === undefined ? NOTHING_YET : `${countText(handled)} within the hour`}
      />
    ),
  },
  {
    label: 'Failed',
    kind: 'number',
    cell: ({ failed }) => <Count value={failed} why={NOTHING_YET} tone={failed ? 'warn' : undefined} />,
  },
  {
    label: 'Dead letters',
    kind: 'number',
    cell: ({ deadLettered }) => (
      <Count value={deadLettered} why={NOTHING_YET} tone={deadLettered ? 'bad' : undefined} />
    ),
  },
  {
    label: 'Run p95',
    kind: 'number',
    cell: ({ runP95Ms }) => <DurationText value={runP95Ms} why="no attempt has ended lately" />,
  },
  {
    label: 'Wait p95',
    kind: 'number',
    cell: ({ waitP95Ms }) => <DurationText value={waitP95Ms} why="no attempt has ended lately" />,
  },
];

/** The last hour by handler. */
export const Handlers: View<OverviewModel> = ({ model: { handlers, handlerCount }, context: { base } }) => (
  <Panel
    title="The last hour by handler"
    aside={
      handlers.length < handlerCount ? (
        <a href={`${base}/handlers`}>{`All ${countText(handlerCount)} handlers`}</a>
      ) : undefined
    }
  >
    <Table
      caption="The last hour of the handlers that do most"
      captionHidden
      columns={COLUMNS}
      rows={handlers}
      keyOf={handlerPath}
      hrefOf={(row) => `${base}${handlerPath(row)}`}
      empty={
        <Empty title="No worker has told of a handler">
          <p>Start a process that handles messages; it is seen here as soon as it answers.</p>
        </Empty>
      }
    />
  </Panel>
);
