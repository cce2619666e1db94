import { Count, DurationText, Rate } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { addressOf, Filter, Pager } from '../../ui/filter.js';
import { Field, Select } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText } from '../../ui/text.js';
import { queuePath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import { EmptyIn, PauseOrResume, QueueState, Slots } from './cells.js';
import { QUEUE_SORTS, type QueueRow, type QueuesModel } from './model.js';

export const QueuesView: View<QueuesModel> = ({ model, context }) => {
  const { looked, text, sort, count, offset, limit, rows } = model;
  const href = `${context.base}/queues`;
  return (
    <>
      <PageHead
        title="Queues"
        lead={countedText(
          count,
          text === '' ? 'queue' : 'queue with this text',
          text === '' ? 'queues' : 'queues with this text',
        )}
      />
      <Looked of={looked} now={context.now} />
      <Sums model={model} context={context} />
      <Filter href={href} label="Filter queues">
        <Field name="text" type="search" label="Name has" value={text} />
        <Select name="sort" label="Sort by" value={sort} options={QUEUE_SORTS.map((each) => [each, each])} />
      </Filter>
      <Table
        caption="Queues and their lanes"
        captionHidden
        columns={columnsOf(context)}
        rows={rows}
        keyOf={({ queue }) => queue}
        hrefOf={({ queue }) => `${context.base}${queuePath(queue)}`}
        empty={text === '' ? <NoQueue /> : <Empty title={`No queue has '${text}' in its name`} />}
      />
      <Pager {...{ count, offset, limit }} hrefOf={(from) => addressOf(href, { text, sort, offset: from })} />
    </>
  );
};

const NoQueue = () => (
  <Empty title="No worker has told of a queue">
    <p>
      Queues are seen here once a process that handles messages has started and answers. If some run: is the
      prefix that the dashboard was given theirs, and the vhost?
    </p>
  </Empty>
);

const Sums: View<QueuesModel> = ({ model: { waiting, deadLetters, paused }, context: { base } }) => (
  <Stats>
    <Stat label="Waiting" note="in all queues">
      <Count value={waiting} why="no queue could be counted" />
    </Stat>
    <Stat label="Dead letters" href={`${base}/failures`}>
      <Count value={deadLetters} why="no queue of dead letters could be counted" />
    </Stat>
    <Stat label="Paused" note="by operators" tone={paused > 0 ? 'warn' : undefined}>
      <Count value={paused} />
    </Stat>
  </Stats>
);

const columnsOf = (context: ViewContext): readonly Column<QueueRow>[] => [
  {
    label: 'Queue',
    kind: 'id',
    names: true,
    cell: ({ queue, isLane }) => (isLane ? <span class="lane">{queue}</span> : queue),
  },
  { label: 'State', cell: (row) => <QueueState of={row} /> },
  { label: 'Waiting', kind: 'number', cell: ({ length }) => <Count value={length} /> },
  {
    label: 'In',
    kind: 'number',
    hint: 'messages that come in',
    cell: ({ inRate }) => <Rate value={inRate} />,
  },
  {
    label: 'Out',
    kind: 'number',
    hint: 'messages that go out',
    cell: ({ outRate }) => <Rate value={outRate} />,
  },
  {
    label: 'Empty in',
    kind: 'number',
    hint: 'at the rates of now',
    cell: (row) => <EmptyIn of={row} />,
  },
  {
    label: 'Oldest',
    kind: 'number',
    hint: 'time since its publish',
    cell: ({ oldestMs }) => <DurationText value={oldestMs} />,
  },
  { label: 'Consumers', kind: 'number', cell: ({ consumers }) => <Count value={consumers} /> },
  { label: 'Busy', hint: 'slots that run a message, of all', cell: (row) => <Slots of={row} /> },
  {
    label: 'Dead letters',
    kind: 'number',
    cell: ({ deadLetters = undefined }) => (
      <Count value={deadLetters} tone={deadLetters ? 'bad' : undefined} />
    ),
  },
  ...(context.mayAct
    ? [{ label: 'Do', cell: (row: QueueRow) => <PauseOrResume of={row} context={context} from="queues" /> }]
    : []),
];
