import type { RefusedEntry } from '../../../stores/outbox.js';
import { Count, DurationText } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countText } from '../../ui/text.js';
import type { View } from '../view.js';
import type { OutboxModel } from './model.js';

export const OutboxView: View<OutboxModel> = ({ model }) => (
  <>
    <PageHead
      title="Outbox"
      lead="Messages that were stored in a transaction and wait in the database until a relay publishes them."
    />
    {model.hasStore ? <Stored of={model} /> : <NoStore />}
  </>
);

const NoStore = () => (
  <Empty title="The dashboard was given no store with an outbox">
    <p>
      The outbox is in PostgreSQL. Start <code>hopline dashboard</code> with <code>DATABASE_URL</code>, or
      give <code>dashboard()</code> the <code>stores</code> that the services have.
    </p>
  </Empty>
);

const Stored = ({ of: { problem, waiting, lagMs, refused, isLate } }: { readonly of: OutboxModel }) => (
  <>
    {problem === undefined ? null : <Notice tone="bad" title={problem} />}
    {isLate ? (
      <Notice tone="bad" title="Nothing is being published from the outbox, or too little">
        <p>
          A relay that runs takes messages within seconds. One runs in a bus with{' '}
          <code>relayOutbox: true</code> or with a handler that has an inbox, or as{' '}
          <code>hopline outbox relay</code>: see that one runs, and reaches the database and the broker.
        </p>
      </Notice>
    ) : null}
    <Stats>
      <Stat label="Waiting" tone={isLate ? 'bad' : undefined}>
        <Count value={waiting} why={problem} />
      </Stat>
      <Stat
        label="The oldest waits for"
        tone={isLate ? 'bad' : undefined}
        note={waiting === 0 ? 'none waits' : undefined}
      >
        <DurationText value={waiting === 0 ? 0 : lagMs} why={problem} />
      </Stat>
      <Stat
        label="Refused by the broker"
        tone={refused.length > 0 ? 'bad' : undefined}
        note={refused.length === 100 ? 'or more' : undefined}
      >
        <Count value={problem === undefined ? refused.length : undefined} why={problem} />
      </Stat>
    </Stats>
    {problem === undefined ? <Refused rows={refused} /> : null}
  </>
);

const columns: readonly Column<RefusedEntry>[] = [
  { label: 'Row', kind: 'id', names: true, cell: ({ id }) => id },
  { label: 'Routing key', kind: 'id', cell: ({ routingKey }) => routingKey },
  { label: 'Message', kind: 'id', cell: ({ messageId }) => messageId },
  { label: 'Refused', kind: 'number', cell: ({ refusals }) => `${countText(refusals)} ×` },
  { label: 'Holds up', cell: ({ orderKey }) => orderKey ?? 'nothing' },
  { label: 'Why', cell: ({ error }) => error },
];

const Refused = ({ rows }: { readonly rows: readonly RefusedEntry[] }) => (
  <Panel title="Refused, and tried again" aside="later messages with the same order key wait for them">
    <Table
      caption="Messages that the broker has refused"
      captionHidden
      columns={columns}
      rows={rows}
      keyOf={({ id }) => id}
      empty={<Empty title="The broker has refused none" />}
    />
  </Panel>
);
