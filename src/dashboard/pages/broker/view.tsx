import type { SeenNode } from '../../site/seen.js';
import { Count, Rate, Share } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { Unknown } from '../../ui/figures/unknown.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { State, type Tone } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countText, shareText } from '../../ui/text.js';
import type { View } from '../view.js';
import type { BrokerModel, QuorumRow, QuorumState } from './model.js';

/** Share of the limit from which on an alarm is near. */
const NEAR = 0.8;

const WHY_UNKNOWN = 'only the management API tells';

export const BrokerView: View<BrokerModel> = ({ model, context }) => (
  <>
    <PageHead title={model.broker.name} lead={placeOf(model)} />
    <Looked of={model.looked} now={context.now} />
    <Wrong of={model} />
    <Figures of={model} />
    {model.hasManagement ? (
      <Managed of={model} />
    ) : (
      <Empty title="Nodes, members and connections are known to the management API alone">
        <p>
          Give its address: <code>hopline dashboard --management http://rabbit:15672</code>, which asks as the
          broker's user; or <code>MANAGEMENT_URL</code> with another, or the option <code>management</code>.
          The plugin is <code>rabbitmq_management</code>; its user needs the tag <code>monitoring</code>.
        </p>
      </Empty>
    )}
  </>
);

const someOf = (names: readonly string[]): string =>
  `${names.slice(0, 10).join(', ')}${names.length > 10 ? ' …' : ''}`;

const placeOf = ({ address, broker: { cluster } }: BrokerModel): string =>
  cluster === undefined ? address : `${address}, cluster ${cluster}`;

const Wrong = ({ of: { broker, problem, quorums = [], quorumCounts } }: { readonly of: BrokerModel }) => {
  const { blocked, nodes } = broker;
  const partitioned = nodes.filter(({ partitions }) => partitions.length > 0);
  const down = nodes.filter(({ running }) => !running);
  const lost = quorums.filter(({ state }) => state === 'lost').map(({ queue }) => queue);
  const critical = (broker.critical ?? []).filter((queue) => !lost.includes(queue));
  return (
    <>
      {problem === undefined ? null : <Notice tone="warn" title={problem} />}
      {blocked ? (
        <Notice tone="bad" title="The broker takes no messages">
          <p>
            An alarm is on: publishers wait, and consumers go on. Free the memory or disk of the node whose
            alarm it is.
          </p>
        </Notice>
      ) : null}
      {down.length === 0 ? null : (
        <Notice tone="bad" title={`Not running: ${down.map(({ name }) => name).join(', ')}`} />
      )}
      {partitioned.length === 0 ? null : (
        <Notice tone="bad" title="The cluster is partitioned">
          <p>
            {partitioned
              .map(({ name, partitions }) => `${name} does not see ${partitions.join(', ')}`)
              .join('; ')}
          </p>
        </Notice>
      )}
      {lost.length === 0 ? null : (
        <Notice
          tone="bad"
          title={`Queues without a majority, which stand still: ${countText(quorumCounts?.lost ?? 0)}`}
        >
          <p>{`Start the nodes that their members are on: ${someOf(lost)}`}</p>
        </Notice>
      )}
      {critical.length === 0 ? null : (
        <Notice
          tone="bad"
          title={`Queues that stand still when one more node is lost: ${countText(critical.length)}`}
        >
          <p>{`Start the nodes that are away before any other is stopped: ${someOf(critical)}`}</p>
        </Notice>
      )}
    </>
  );
};

const Figures = ({ of: { broker, quorumCounts } }: { readonly of: BrokerModel }) => (
  <Stats>
    <Stat label="Takes messages" tone={broker.blocked ? 'bad' : undefined}>
      {broker.blocked === undefined ? <Unknown /> : broker.blocked ? 'no' : 'yes'}
    </Stat>
    <Stat label="Quorum queues" note={quorumCounts === undefined ? undefined : inDanger(quorumCounts)}>
      <Count
        value={quorumCounts && Object.values(quorumCounts).reduce((sum, count) => sum + count, 0)}
        why={WHY_UNKNOWN}
      />
    </Stat>
    <Stat label="Connections">
      <Count value={broker.connections} why={WHY_UNKNOWN} />
    </Stat>
    <Stat label="Opened and closed" note="connections; many are a client that connects for each message">
      <Rate value={broker.connectionChurn} why={WHY_UNKNOWN} />
    </Stat>
  </Stats>
);

const inDanger = ({ lost, critical, reduced }: Readonly<Record<QuorumState, number>>): string =>
  lost + critical + reduced === 0
    ? 'all members are there'
    : `${countText(lost)} lost, ${countText(critical)} critical, ${countText(reduced)} reduced`;

const Managed = ({ of: { broker, management, quorums, quorumCounts } }: { readonly of: BrokerModel }) => (
  <>
    <Panel title="Nodes" aside={management === undefined ? undefined : `told by ${management}`}>
      <Table
        caption="Nodes and how near they are to an alarm"
        captionHidden
        columns={nodeColumns}
        rows={broker.nodes}
        keyOf={({ name }) => name}
        empty={<Empty title="The management API has not told of any node" />}
      />
    </Panel>
    {quorums === undefined ? null : (
      <Panel title="Quorums" aside={asideOf(quorums, quorumCounts)}>
        <Table
          caption="Quorum queues and their members"
          captionHidden
          columns={quorumColumns}
          rows={quorums}
          keyOf={({ queue }) => queue}
          empty={<Empty title="There is no quorum queue in this vhost" />}
        />
      </Panel>
    )}
  </>
);

function asideOf(rows: readonly QuorumRow[], counts: BrokerModel['quorumCounts']): string | undefined {
  const all = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
  return all > rows.length
    ? `${countText(rows.length)} of ${countText(all)}, those in danger first`
    : undefined;
}

const nodeColumns: readonly Column<SeenNode>[] = [
  { label: 'Node', kind: 'id', names: true, cell: ({ name }) => name },
  {
    label: 'State',
    cell: ({ running }) => (running ? <State tone="good">running</State> : <State tone="bad">down</State>),
  },
  {
    label: 'Memory',
    cell: (node) => <Headroom share={node.memoryShare} isAlarm={node.memoryAlarm} what="memory" />,
  },
  { label: 'Disk', cell: (node) => <Headroom share={node.diskShare} isAlarm={node.diskAlarm} what="disk" /> },
  {
    label: 'Partitions',
    cell: ({ partitions }) => (partitions.length === 0 ? 'none' : partitions.join(', ')),
  },
];

interface HeadroomProps {
  readonly share: number | undefined;
  readonly isAlarm: boolean;
  readonly what: 'memory' | 'disk';
}

const Headroom = ({ share, isAlarm, what }: HeadroomProps) => {
  if (isAlarm) return <State tone="bad">{`${what} alarm`}</State>;
  if (share === undefined) return <Unknown why="the node has not told" />;
  const tone = share >= NEAR ? 'warn' : undefined;
  return (
    <span class="progress">
      <Meter share={share} label={`${shareText(share)} of the way to a ${what} alarm`} tone={tone} />
      <Share value={share} tone={tone} />
    </span>
  );
};

const TONES: Readonly<Record<QuorumState, Tone>> = {
  lost: 'bad',
  critical: 'bad',
  reduced: 'warn',
  whole: 'good',
};

const quorumColumns: readonly Column<QuorumRow>[] = [
  { label: 'Queue', kind: 'id', names: true, cell: ({ queue }) => queue },
  { label: 'State', cell: ({ state }) => <State tone={TONES[state]}>{state}</State> },
  {
    label: 'Members',
    kind: 'number',
    cell: ({ members, away }) => `${countText(members.length - away.length)} of ${countText(members.length)}`,
  },
  { label: 'Away', cell: ({ away }) => away.join(', ') },
];
