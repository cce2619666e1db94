import { Ago, Count } from '../../ui/figures/figures.js';
import { Sparkline } from '../../ui/figures/sparkline.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { addressOf } from '../../ui/filter.js';
import { PageHead, Panel, Panels } from '../../ui/page-head.js';
import { Badge } from '../../ui/state.js';
import { durationText, momentText } from '../../ui/text.js';
import { KeyValue } from '../../ui/text-blocks.js';
import { groupPath, queuePath } from '../addresses.js';
import { GroupStateView } from '../failures/group-state.js';
import { IndexNotices, IndexStateView } from '../failures/index-state.js';
import { REASONS } from '../failures/reasons.js';
import { sparklineText } from '../failures/sparkline-text.js';
import type { View, ViewContext } from '../view.js';
import { Example } from './example-view.js';
import { GroupActions } from './group-actions.js';
import { Letters } from './letters-view.js';
import type { GroupModel, GroupSpan } from './model.js';
import { GroupNote } from './note-view.js';
import { GroupOperations } from './operations-view.js';

export const GroupView: View<GroupModel> = ({ model, context }) => {
  const { group } = model;
  return (
    <>
      <PageHead
        above={[[`${context.base}/failures`, 'Failures']]}
        title={
          <>
            <span class="failure-kind">{group.kind}</span>{' '}
            <span class="failure-message">{group.message}</span>
          </>
        }
        lead={group.reasons.map((reason) => REASONS[reason]).join(' ')}
      >
        <IndexStateView index={model.index} context={context} />
      </PageHead>
      <IndexNotices index={model.index} />
      <GroupStats model={model} context={context} />
      <GroupActions model={model} context={context} />
      <GroupOperations model={model} context={context} />
      <Panels>
        <Panel title="When they failed" aside={<Spans model={model} context={context} />}>
          <Times model={model} />
        </Panel>
        <Panel title="What they have in common">
          <Common model={model} context={context} />
        </Panel>
        <Example model={model} context={context} />
        <GroupNote group={group} context={context} />
      </Panels>
      <Letters model={model} context={context} />
    </>
  );
};

interface Props {
  readonly model: GroupModel;
  readonly context: ViewContext;
}

const NO_TIME = 'no letter of it says when it failed';

const GroupStats = ({ model: { group }, context: { now } }: Props) => (
  <Stats>
    <Stat label="Dead letters" tone="bad">
      <Count value={group.count} />
    </Stat>
    <Stat label="Last failed">
      <Ago at={group.lastAt} now={now} why={NO_TIME} />
    </Stat>
    <Stat label="First failed">
      <Ago at={group.firstAt} now={now} why={NO_TIME} />
    </Stat>
    <Stat label="State">
      <GroupStateView state={group.state} by={group.by} at={group.at} />
    </Stat>
  </Stats>
);

const SPANS: readonly GroupSpan[] = ['hour', 'day', 'week', 'month'];

/** Links to the other lengths of time. */
const Spans = ({ model: { group, span, text }, context: { base } }: Props) => (
  <span class="choices">
    {SPANS.map((each) =>
      each === span ? (
        <span key={each} aria-current="true">
          {each}
        </span>
      ) : (
        <a key={each} href={addressOf(`${base}${groupPath(group.id)}`, { span: each, text })}>
          {each}
        </a>
      ),
    )}
  </span>
);

function Times({ model: { group, span, spanMs } }: Pick<Props, 'model'>) {
  const text = sparklineText(group.sparkline, span);
  const each = durationText(spanMs / Math.max(1, group.sparkline.length));
  return (
    <figure class="times">
      <Sparkline values={group.sparkline} label={text} tone="bad" />
      <figcaption>
        {text}; a bar is {each}
      </figcaption>
    </figure>
  );
}

const Common = ({ model: { group }, context: { base } }: Props) => (
  <KeyValue
    of={[
      ['Handler', group.handler],
      [
        'Queue',
        <a key="queue" href={`${base}${queuePath(group.queue)}`}>
          {group.queue}
        </a>,
      ],
      ['Dead letters in', group.deadQueues.join(', ')],
      ['Place in the code', group.place && <code>{group.place}</code>],
      ['Reasons', group.reasons.join(', ')],
      ['Since version', group.since && <Badge>{group.since}</Badge>],
      ['First', group.firstAt === undefined ? undefined : momentText(group.firstAt)],
      ['Last', group.lastAt === undefined ? undefined : momentText(group.lastAt)],
      ['Group', <code key="id">{group.id}</code>],
    ]}
  />
);
