import { Ago, Count } from '../../ui/figures/figures.js';
import { Sparkline } from '../../ui/figures/sparkline.js';
import { addressOf, Pager } from '../../ui/filter.js';
import { Empty } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import { Badge } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import { groupPath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import { GroupStateView } from './group-state.js';
import { GroupsFilter } from './groups-filter.js';
import { IndexNotices, IndexStateView } from './index-state.js';
import type { FailuresModel, GroupRow } from './model.js';
import { sparklineText } from './sparkline-text.js';

export const FailuresView: View<FailuresModel> = ({ model, context }) => {
  const { asked, rows, matching, limit, groups, letters } = model;
  const here = `${context.base}/failures`;
  return (
    <>
      <PageHead
        title="Failures"
        lead={`${countedText(letters, 'dead letter')} in ${countedText(groups, 'group')}: a group is what failed in the same way.`}
      >
        <IndexStateView index={model.index} context={context} />
      </PageHead>
      <IndexNotices index={model.index} />
      <GroupsFilter model={model} href={here} />
      <Table
        caption={captionOf(model)}
        columns={columnsOf(context)}
        rows={rows}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${groupPath(id)}`}
        empty={<NoGroups model={model} href={here} />}
      />
      <Pager
        count={matching}
        offset={asked.offset}
        limit={limit}
        hrefOf={(offset) => addressOf(here, { ...asked, offset: offset || undefined })}
      />
    </>
  );
};

const captionOf = ({ groups, matching, matchingLetters }: FailuresModel): string =>
  matching === groups
    ? 'Groups of dead letters'
    : `${countText(matching)} of ${countedText(groups, 'group')}, with ${countedText(matchingLetters, 'dead letter')}`;

const columnsOf = ({ now }: ViewContext): readonly Column<GroupRow>[] => [
  {
    label: 'Failure',
    names: true,
    cell: ({ kind, message }) => (
      <span class="failure">
        <span class="failure-kind">{kind}</span> <span class="failure-message">{message}</span>
      </span>
    ),
  },
  { label: 'Letters', kind: 'number', cell: ({ count }) => <Count value={count} /> },
  {
    label: 'Last day',
    cell: ({ sparkline }) => <Sparkline values={sparkline} label={sparklineText(sparkline)} tone="bad" />,
  },
  {
    label: 'Last',
    kind: 'number',
    cell: ({ lastAt }) => <Ago at={lastAt} now={now} why="no letter of it says when it failed" />,
  },
  {
    label: 'First',
    kind: 'number',
    cell: ({ firstAt }) => <Ago at={firstAt} now={now} why="no letter of it says when it failed" />,
  },
  { label: 'Handler', cell: ({ handler }) => handler },
  { label: 'Queue', cell: ({ queue }) => queue },
  {
    label: 'Since',
    hint: 'version of the workers in which the first of them failed',
    cell: ({ since }) => (since === undefined ? '' : <Badge>{since}</Badge>),
  },
  {
    label: 'State',
    cell: ({ state, by, at, note }) => (
      <>
        <GroupStateView state={state} by={by} at={at} />
        {note === undefined || note === '' ? null : <span class="note">{note}</span>}
      </>
    ),
  },
];

/** In place of the table. */
function NoGroups({ model, href }: { readonly model: FailuresModel; readonly href: string }) {
  const { index, groups } = model;
  if (groups > 0)
    return (
      <Empty title="No group matches">
        <p>
          <a href={addressOf(href, { state: 'all' })}>Show all {countText(groups)}</a>, the resolved ones with
          them.
        </p>
      </Empty>
    );
  if (index.readAt === undefined)
    return (
      <Empty title={index.problem === undefined ? 'The dead letters are being read' : 'Nothing is known yet'}>
        <p>Their groups are shown as soon as one pass through the queues is over.</p>
      </Empty>
    );
  return (
    <Empty title="No dead letters">
      <p>
        Messages that are given up come to the queue <code>{'<queue>.dead'}</code> of their queue, and are
        shown here a moment later.
      </p>
    </Empty>
  );
}
