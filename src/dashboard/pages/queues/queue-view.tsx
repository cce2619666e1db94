import { Chart } from '../../ui/chart/chart.js';
import { ChartRow } from '../../ui/chart/charts.js';
import { Count, DurationText, Rate, Share } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { addressOf } from '../../ui/filter.js';
import { ActionForm, Field } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { Badge } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { rateText } from '../../ui/text.js';
import { queuePath, segmentOf } from '../addresses.js';
import { handlerPath } from '../handlers/handler-path.js';
import type { Part, View, ViewContext } from '../view.js';
import { EmptyIn, PauseOrResume, QueueState, Slots } from './cells.js';
import type { QueueHandler, QueueModel, QueueRow } from './model.js';

export const QueueView: View<QueueModel> = ({ model, context }) => {
  const { looked, queue, charts } = model;
  return (
    <>
      <PageHead
        title={queue.queue}
        above={aboveOf(queue, context)}
        lead={
          <>
            <QueueState of={queue} /> {queue.type === undefined ? null : <Badge>{queue.type}</Badge>}
          </>
        }
      >
        <PauseOrResume of={queue} context={context} from="queue" />
        <Scale of={queue} context={context} />
      </PageHead>
      <Looked of={looked} now={context.now} />
      <Wrong model={model} context={context} />
      <Figures model={model} context={context} />
      <ChartRow of={charts} href={`${context.base}${queuePath(queue.queue)}`}>
        <Chart
          title="Messages that wait"
          unit="count"
          lines={[{ label: 'waiting', kind: 'main', series: charts.of.length }]}
        />
        <Chart
          title="Dead letters"
          unit="count"
          lines={[{ label: 'dead letters', kind: 'bad', series: charts.of['dead-letters'] }]}
        />
      </ChartRow>
      <Handlers model={model} context={context} />
      <Lanes model={model} context={context} />
    </>
  );
};

const aboveOf = ({ isLane, of }: QueueRow, { base }: ViewContext) => [
  [`${base}/queues`, 'Queues'] as const,
  ...(isLane ? [[`${base}${queuePath(of)}`, of] as const] : []),
];

/** A lane has no slots of its own. */
const Scale = ({
  of: { queue, isLane },
  context,
}: {
  readonly of: QueueRow;
  readonly context: ViewContext;
}) =>
  isLane ? null : (
    <ActionForm
      context={context}
      path={`${queuePath(queue)}/scale`}
      label="Scale"
      title={`Scale ${queue}`}
      confirm={`Each process that runs now handles this many messages of '${queue}' at once, until it ends; one that starts later begins with its own options.`}
    >
      <Field
        name="concurrency"
        type="number"
        label="At once in each process"
        min={1}
        max={100_000}
        size={6}
        required
      />
    </ActionForm>
  );

const Wrong: View<QueueModel> = ({ model: { queue, pausedBy }, context }) => (
  <>
    {queue.held ? (
      <Notice tone="bad" title="Nothing starts: a retry or a dead letter can't be published">
        <p>
          The worker tries again by itself. See the broker for alarms and for a queue of dead letters that is
          full or gone.
        </p>
      </Notice>
    ) : null}
    {queue.openCircuits.map((handler) => (
      <Notice
        key={handler}
        tone="bad"
        title={`The circuit of ${handler} is open: too many of its attempts have failed`}
      >
        <p>Its queue waits until a trial succeeds. Close it once what it calls is well again.</p>
        <ActionForm
          context={context}
          path={`${queuePath(queue.of)}/circuits/${segmentOf(handler)}/close`}
          label="Close the circuit"
          title={`Close the circuit of ${handler}`}
        />
      </Notice>
    ))}
    {queue.paused ? (
      <Notice
        tone="warn"
        title={`Paused by an operator${pausedBy.length === 0 ? '' : `, as ${pausedBy.join(', ')}`}`}
      />
    ) : null}
  </>
);

const Figures: View<QueueModel> = ({ model: { queue }, context: { base } }) => (
  <Stats>
    <Stat label="Waiting" note={`in ${rate(queue.inRate)}, out ${rate(queue.outRate)}`}>
      <Count value={queue.length} />
    </Stat>
    <Stat label="Empty in" note="at the rates of now">
      <EmptyIn of={queue} />
    </Stat>
    <Stat label="Oldest" note="since its publish">
      <DurationText value={queue.oldestMs} />
    </Stat>
    <Stat label="Consumers" note={<Slots of={queue} />}>
      <Count value={queue.consumers} />
    </Stat>
    <Stat label="Suspects" note="may be what kills a process" tone={queue.suspects ? 'warn' : undefined}>
      <Count value={queue.suspects} why="no process that serves it tells" />
    </Stat>
    <Stat
      label="Dead letters"
      href={addressOf(`${base}/failures`, { queue: queue.of })}
      tone={queue.deadLetters ? 'bad' : undefined}
    >
      <Count value={queue.deadLetters} />
    </Stat>
  </Stats>
);

const rate = (value: number | undefined): string => (value === undefined ? '–' : rateText(value));

const Handlers: View<QueueModel> = ({ model: { handlers, queue }, context: { base } }) => (
  <Panel title="Handlers">
    <Table
      caption="Handlers of the queue"
      captionHidden
      columns={HANDLER_COLUMNS}
      rows={handlers}
      keyOf={({ service, handler }) => `${service} ${handler}`}
      hrefOf={(each) => `${base}${handlerPath({ ...each, queue: queue.of })}`}
      empty={
        <Empty title="No process that serves it has answered">
          <p>Messages stay in the queue until one does.</p>
        </Empty>
      }
    />
  </Panel>
);

const HANDLER_COLUMNS: readonly Column<QueueHandler>[] = [
  { label: 'Handler', kind: 'id', names: true, cell: ({ handler }) => handler },
  { label: 'Service', cell: ({ service }) => service },
  { label: 'Running', kind: 'number', cell: ({ running }) => <Count value={running} /> },
  { label: 'Attempts', kind: 'number', cell: ({ perSecond }) => <Rate value={perSecond} /> },
  {
    label: 'Run time p95',
    kind: 'number',
    cell: ({ p95Ms }) => <DurationText value={p95Ms} why="no attempt has ended lately" />,
  },
  {
    label: 'Fail',
    kind: 'number',
    cell: ({ failureRate }) => <Share value={failureRate} why="no attempt has ended lately" />,
  },
];

const Lanes: Part<QueueModel> = ({ model: { lanes, queue }, context: { base } }) =>
  lanes.length === 0 ? null : (
    <Panel title={queue.isLane ? 'Other lanes' : 'Lanes'}>
      <Table
        caption="Lanes of the queue"
        captionHidden
        columns={LANE_COLUMNS}
        rows={lanes}
        keyOf={(lane) => lane.queue}
        hrefOf={(lane) => `${base}${queuePath(lane.queue)}`}
      />
    </Panel>
  );

const LANE_COLUMNS: readonly Column<QueueRow>[] = [
  { label: 'Lane', kind: 'id', names: true, cell: ({ queue }) => queue },
  { label: 'State', cell: (row) => <QueueState of={row} /> },
  { label: 'Waiting', kind: 'number', cell: ({ length }) => <Count value={length} /> },
  { label: 'In', kind: 'number', cell: ({ inRate }) => <Rate value={inRate} /> },
  { label: 'Out', kind: 'number', cell: ({ outRate }) => <Rate value={outRate} /> },
  { label: 'Oldest', kind: 'number', cell: ({ oldestMs }) => <DurationText value={oldestMs} /> },
];
