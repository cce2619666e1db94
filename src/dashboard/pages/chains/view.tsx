import { Ago, DurationText } from '../../ui/figures/figures.js';
import { Filter } from '../../ui/filter.js';
import { Field } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { State } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import { Id } from '../../ui/text-blocks.js';
import { chainPath, messagePath, queuePath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type {
  ChainModel,
  ChainRow,
  ChainSources,
  ChainsModel,
  DeadStep,
  RunningStep,
  StepPlace,
} from './model.js';

export const ChainsView: View<ChainsModel> = ({ model, context }) => (
  <>
    <PageHead
      title="Chains"
      lead="Steps that run one after the other: those that run now, and those that failed."
    />
    <Sources of={model} />
    <Filter href={`${context.base}/chains`} label="Filter chains">
      <Field name="text" label="Id" type="search" value={model.text} />
    </Filter>
    <Table
      caption={
        model.count > model.chains.length
          ? `${countText(model.chains.length)} of ${countedText(model.count, 'chain')}`
          : 'Chains'
      }
      columns={columnsOf(context)}
      rows={model.chains}
      keyOf={({ id }) => id}
      hrefOf={({ id }) => `${context.base}${chainPath(id)}`}
      empty={<NoChain text={model.text} />}
    />
    <Unseen />
  </>
);

export const ChainView: View<ChainModel> = ({ model, context }) => {
  const { id, running, dead } = model.chain;
  return (
    <>
      <PageHead title="Chain" above={[[`${context.base}/chains`, 'Chains']]} lead={<Id copy>{id}</Id>} />
      <Sources of={model} />
      <Panel title="Running now">
        <Table
          caption="Steps whose handler runs"
          captionHidden
          columns={runningColumns}
          rows={running}
          keyOf={(step) => `${step.messageId} ${step.queue} ${step.handler}`}
          hrefOf={({ queue }) => `${context.base}${queuePath(queue)}`}
          empty={<Empty title="No step of it runs now" />}
        />
      </Panel>
      <Panel title="Failed">
        <Table
          caption="Steps that are dead letters"
          captionHidden
          columns={deadColumns(context)}
          rows={dead}
          keyOf={(step) => `${step.deadQueue} ${step.id}`}
          hrefOf={(step) => `${context.base}${messagePath(step)}`}
          empty={<Empty title="No step of it is a dead letter" />}
        />
      </Panel>
      <Unseen />
    </>
  );
};

const columnsOf = ({ now }: ViewContext): readonly Column<ChainRow>[] => [
  { label: 'Chain', kind: 'id', names: true, cell: ({ id }) => id },
  {
    label: 'State',
    cell: ({ dead }) =>
      dead.length > 0 ? <State tone="bad">stands</State> : <State tone="good">running</State>,
  },
  { label: 'Where', cell: (chain) => whereOf(chain) },
  { label: 'Left', cell: ({ dead: [first] }) => restOf(first?.place) },
  {
    label: 'Failed',
    kind: 'number',
    cell: ({ dead: [first] }) => (first ? <Ago at={first.failedAt} now={now} /> : ''),
  },
];

function whereOf({ running, dead: [first] }: ChainRow) {
  if (first) return `${stepText(first.place)} failed in ${first.handler ?? first.routingKey}`;
  return running.map(({ handler }) => handler).join(', ');
}

const stepText = (place: StepPlace | undefined) =>
  place === undefined ? 'a step' : `step ${countText(place.number)} of ${countText(place.of)}`;

function restOf(place: StepPlace | undefined) {
  if (place === undefined) return 'not known';
  if (place.rest.length === 0) return 'nothing after it';
  return `${place.rest.join(' → ')}${place.more > 0 ? ` → ${countText(place.more)} more` : ''}`;
}

const runningColumns: readonly Column<RunningStep>[] = [
  { label: 'Handler', names: true, cell: ({ handler }) => handler },
  { label: 'Queue', cell: ({ queue }) => queue },
  { label: 'Service', cell: ({ service }) => service },
  { label: 'Attempt', kind: 'number', cell: ({ attempt }) => countText(attempt) },
  { label: 'For', kind: 'number', cell: ({ runningMs }) => <DurationText value={runningMs} /> },
  { label: 'Message', kind: 'id', cell: ({ messageId }) => messageId ?? 'has no id' },
];

const deadColumns = ({ now }: ViewContext): readonly Column<DeadStep>[] => [
  { label: 'Message', kind: 'id', names: true, cell: ({ id }) => id },
  { label: 'Step', cell: ({ place }) => (place === undefined ? 'not known' : stepText(place)) },
  { label: 'Handler', cell: ({ handler, routingKey }) => handler ?? routingKey },
  { label: 'Error', cell: ({ error, place }) => failureOf(error, place) },
  { label: 'Left', cell: ({ place }) => restOf(place) },
  { label: 'Failed', kind: 'number', cell: ({ failedAt }) => <Ago at={failedAt} now={now} /> },
];

function failureOf(error: string | undefined, place: StepPlace | undefined) {
  if (place?.isHandled)
    return `was handled; the next step could not be sent${error === undefined ? '' : `: ${error}`}`;
  if (place?.failed !== undefined)
    return `failure step of ${place.failed}${error === undefined ? '' : `: ${error}`}`;
  return error ?? 'nothing was thrown';
}

const Sources = ({ of: { problem, isRead, isCut } }: { readonly of: ChainSources }) => (
  <>
    {problem === undefined ? null : <Notice tone="warn" title={`What runs is not known: ${problem}`} />}
    {isRead ? null : (
      <Notice tone="quiet" title="The dead letters are being read: chains that stand are not all here yet" />
    )}
    {isCut ? (
      <Notice tone="quiet" title="There are more dead letters of chains than are looked at here">
        <p>The latest are. An older chain is found by its id.</p>
      </Notice>
    ) : null}
  </>
);

const NoChain = ({ text }: Pick<ChainsModel, 'text'>) =>
  text === '' ? (
    <Empty title="No step of a chain runs, and none has failed">
      <p>
        <code>bus.chain([…]).dispatch()</code> makes a chain.
      </p>
    </Empty>
  ) : (
    <Empty title={`No chain that runs or has failed has '${text}' in its id`} />
  );

/** No broker tells what is inside the messages of a queue: a page must not look as if it knew. */
const Unseen = () => (
  <p class="footnote">
    Steps that wait in a queue or a delay are not seen here, nor are steps that were handled: RabbitMQ shows a
    message to its consumers alone. A chain that is not here has ended, or waits.
  </p>
);
