import { Empty, Notice } from '../../ui/notice.js';
import { Panel } from '../../ui/page-head.js';
import { State } from '../../ui/state.js';
import { Table } from '../../ui/table.js';
import type { View } from '../view.js';
import type { Examined, OverviewModel } from './model.js';

type Found = Examined['findings'][number];

const WORDS: Readonly<Record<Found['tone'], string>> = {
  bad: 'error',
  warn: 'warning',
  good: 'fine',
  quiet: 'not known',
};

/** What doctor finds, for whoever asks: it looks into every queue, so nobody asks by only opening the page. */
export const Doctor: View<OverviewModel> = ({ model: { examined }, context: { base } }) => (
  <Panel
    title="Doctor"
    aside={
      <a href={examined === undefined ? `${base}/?doctor=yes` : `${base}/`}>
        {examined === undefined ? 'Examine' : 'Close'}
      </a>
    }
  >
    {examined === undefined ? (
      <Empty title="Nobody has asked doctor">
        <p>It looks for what is set up wrongly: missing queues and bindings, policies, rights, alarms.</p>
      </Empty>
    ) : (
      <Findings of={examined} />
    )}
  </Panel>
);

const Findings = ({ of: { findings, problem } }: { readonly of: Examined }) =>
  problem === undefined ? (
    <Table
      caption="What doctor has found within the last minute"
      columns={[
        { label: 'Finding', cell: ({ tone }: Found) => <State tone={tone}>{WORDS[tone]}</State> },
        { label: 'What', names: true, cell: ({ message }: Found) => message },
        { label: 'Remedy', cell: ({ help }: Found) => help ?? '' },
      ]}
      rows={findings}
      keyOf={({ message }) => message}
      empty={<Empty title="Doctor has found nothing to examine" />}
    />
  ) : (
    <Notice tone="warn" title={problem}>
      <p>An examination may take a while; this page shows it once it is done.</p>
    </Notice>
  );
