import type { SeenDelay } from '../../site/seen.js';
import { Count, DurationText } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { addressOf } from '../../ui/filter.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel, Panels } from '../../ui/page-head.js';
import { State } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText, durationText } from '../../ui/text.js';
import type { View, ViewContext } from '../view.js';
import type { DelayedModel, DueWithin } from './model.js';

const WHY_UNKNOWN = 'some levels have not told how many they hold';

export const DelayedView: View<DelayedModel> = ({ model, context }) => {
  const { isKnown, waiting, unknown, lastDueMs, standing, lost } = model;
  return (
    <>
      <PageHead
        title="Delayed"
        lead="Retries and delayed messages that wait in the broker, in levels of a fixed time each."
      />
      <Looked of={model.looked} now={context.now} />
      {standing.length === 0 ? null : <Standing queues={standing} />}
      <Lost model={model} context={context} />
      <Stats>
        <Stat
          label="Waiting"
          note={unknown > 0 ? `without ${countedText(unknown, 'level')} that told nothing` : undefined}
        >
          <Count value={isKnown ? waiting : undefined} why={WHY_UNKNOWN} />
        </Stat>
        <Stat label="All are due within" note="of what waits now">
          <DurationText value={waiting === 0 && isKnown ? 0 : lastDueMs} why={WHY_UNKNOWN} />
        </Stat>
        <Stat
          label="Lost"
          tone={lost !== undefined && lost > 0 ? 'bad' : undefined}
          note="due, and no queue took them"
        >
          <Count value={lost} why="the broker has not told" />
        </Stat>
      </Stats>
      {isKnown ? <Levels model={model} /> : <NoLevels />}
    </>
  );
};

const NoLevels = () => (
  <Empty title="Nothing is known of the delays">
    <p>
      The levels are declared by the first worker that starts in the vhost. Where they are there and not seen,
      give the address of the management API with <code>--management</code>.
    </p>
  </Empty>
);

const Standing = ({ queues }: { readonly queues: readonly string[] }) => (
  <Notice
    tone="bad"
    title={`Levels of the delays that do not hand on what is due: ${countText(queues.length)}`}
  >
    <p>
      {queues.join(', ')}: messages are due there and stay. A queue or exchange behind the delays is missing
      or has no leader: <code>hopline doctor</code> names it.
    </p>
  </Notice>
);

const Lost = ({
  model: { lost, lostQueue },
  context,
}: {
  readonly model: DelayedModel;
  readonly context: ViewContext;
}) =>
  lost === undefined || lost === 0 ? null : (
    <Notice tone="bad" title={`Due, and taken by no queue: ${countedText(lost, 'message')}`}>
      <p>
        They are kept in{' '}
        <a href={`${context.base}${addressOf('/failures', { queue: lostQueue })}`}>{lostQueue}</a>. Start the
        service whose queue they were for, once, so that it declares it; then retry them:{' '}
        <code>hopline failed retry --queue {lostQueue}</code>.
      </p>
    </Notice>
  );

const dueText = ({ withinMs }: DueWithin): string =>
  withinMs === undefined ? 'later, or not known' : `within ${durationText(withinMs)}`;

const dueColumns = (most: number): readonly Column<DueWithin>[] => [
  { label: 'Due, at the latest', names: true, cell: (due) => dueText(due) },
  { label: 'Messages', kind: 'number', cell: ({ count }) => <Count value={count} /> },
  {
    label: 'Share',
    cell: (due) => (
      <Meter share={due.count / most} label={`${countedText(due.count, 'message')} due ${dueText(due)}`} />
    ),
  },
];

const levelColumns: readonly Column<SeenDelay>[] = [
  { label: 'Level', kind: 'id', names: true, cell: ({ queue }) => queue },
  { label: 'Messages', kind: 'number', cell: ({ length }) => <Count value={length} why="it has not told" /> },
  {
    label: 'Due within',
    kind: 'number',
    cell: ({ dueMs }) => <DurationText value={dueMs} why="it is no level of this version" />,
  },
  {
    label: 'State',
    cell: ({ stands }) =>
      stands ? (
        <State tone="bad">stands</State>
      ) : (
        <State tone="quiet">{stands === false ? 'flows' : 'not known'}</State>
      ),
  },
];

const Levels = ({ model: { due, levels, empty } }: { readonly model: DelayedModel }) => {
  const most = Math.max(1, ...due.map(({ count }) => count));
  return (
    <Panels>
      <Panel title="When they are due">
        <Table
          caption="Messages by the time within which they are due"
          captionHidden
          columns={dueColumns(most)}
          rows={due}
          keyOf={dueText}
        />
      </Panel>
      <Panel title="Levels" aside={empty === 0 ? undefined : `besides ${countedText(empty, 'empty level')}`}>
        <Table
          caption="Levels of the delays that hold messages"
          captionHidden
          columns={levelColumns}
          rows={levels}
          keyOf={({ queue }) => queue}
          empty={<Empty title="No message is delayed now" />}
        />
      </Panel>
    </Panels>
  );
};
