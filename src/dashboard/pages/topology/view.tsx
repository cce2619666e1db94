import { Count, Rate } from '../../ui/figures/figures.js';
import { Unknown } from '../../ui/figures/unknown.js';
import { Filter } from '../../ui/filter.js';
import { Field, Select } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText } from '../../ui/text.js';
import { queuePath } from '../addresses.js';
import type { View, ViewContext } from '../view.js';
import type { TopologyModel, TopologyQueue, TopologyRow } from './model.js';
import { PictureView } from './picture-view.js';

export const TopologyView: View<TopologyModel> = ({ model, context }) => {
  const { problem, text, picture, queues, queueCount } = model;
  return (
    <>
      <PageHead
        title="Topology"
        lead="From exchanges, by the patterns of their bindings, to queues and their handlers."
      />
      <Looked of={model.looked} now={context.now} />
      {problem === undefined ? null : <Notice tone="warn" title={problem} />}
      <Ask model={model} context={context} />
      <Filter href={`${context.base}/topology`} label="Filter the picture" keep={keptOf(model)}>
        <Field name="text" label="Exchange, pattern or queue" type="search" value={text} />
      </Filter>
      {queues.length === 0 ? (
        problem === undefined ? (
          <Nothing text={text} />
        ) : null
      ) : (
        <>
          <Panel
            title="Picture"
            aside={
              queueCount > queues.length
                ? `${countText(queues.length)} of ${countedText(queueCount, 'queue')}: filter for others`
                : 'messages that wait, and messages per second'
            }
          >
            <PictureView
              picture={picture}
              label={`Exchanges, patterns, queues and handlers: ${countedText(queues.length, 'queue')}; the tables below say the same`}
            />
          </Panel>
          <Tables model={model} context={context} />
        </>
      )}
    </>
  );
};

/** What was asked stays asked while the picture is filtered. */
const keptOf = ({ question: { exchange, key, answer } }: TopologyModel) =>
  answer === undefined ? {} : { exchange, key };

const Ask: View<TopologyModel> = ({ model: { exchanges, question, text }, context }) => {
  const { exchange, key } = question;
  const offered = exchanges.includes(exchange) ? exchanges : [exchange, ...exchanges];
  return (
    <Panel title="Which queues would a key reach?">
      <form
        class="filter"
        method="get"
        action={`${context.base}/topology`}
        aria-label="Ask which queues a routing key reaches"
      >
        {text === '' ? null : <input type="hidden" name="text" value={text} />}
        <Select
          name="exchange"
          label="Exchange"
          value={exchange}
          options={offered.map((name) => [name, name === '' ? 'default exchange' : name] as const)}
        />
        <Field name="key" label="Routing key" value={key} size={32} placeholder="order.created" />
        <button type="submit">Ask</button>
      </form>
      <Answer question={question} context={context} />
    </Panel>
  );
};

const Answer = ({
  question: { exchange, key, answer },
  context,
}: {
  readonly question: TopologyModel['question'];
  readonly context: ViewContext;
}) => {
  if (answer === undefined) return null;
  const { exists, queues, count, unknown } = answer;
  const what = `'${key}' on ${exchange === '' ? 'the default exchange' : exchange}`;
  if (!exists)
    return (
      <Notice tone="bad" title={`${what}: nothing is known of this exchange`}>
        <p>
          A publish to an exchange that is not there fails. It is declared by the first service that publishes
          to it or listens on it.
        </p>
      </Notice>
    );
  return (
    <>
      {count === 0 ? (
        <Notice
          tone={unknown.length === 0 ? 'warn' : 'quiet'}
          title={unknown.length === 0 ? `${what} reaches no queue` : `${what} reaches no queue by its key`}
        >
          <p>
            A <code>send</code> fails then, as unroutable; an event that is published is dropped.
          </p>
        </Notice>
      ) : (
        <Notice tone="good" title={`${what} reaches ${countedText(count, 'queue')}`}>
          <ul class="reached-queues">
            {queues.map((queue) => (
              <li key={queue}>
                <a href={`${context.base}${queuePath(queue)}`}>{queue}</a>
              </li>
            ))}
          </ul>
          {count > queues.length ? <p>{`and ${countText(count - queues.length)} more`}</p> : null}
        </Notice>
      )}
      {unknown.length === 0 ? null : (
        <Notice tone="quiet" title="It may reach more">
          <p>{`${unknown.join(', ')}: the type of this exchange routes by more than the key, or is not known.`}</p>
        </Notice>
      )}
    </>
  );
};

const Nothing = ({ text }: { readonly text: string }) =>
  text === '' ? (
    <Empty title="No queue of the application is known">
      <p>
        Queues are declared by the workers that consume them: start one. Where some run and are not seen, see
        that prefix and vhost are theirs.
      </p>
    </Empty>
  ) : (
    <Empty title={`No exchange, pattern or queue has '${text}' in its name`} />
  );

const queueColumns: readonly Column<TopologyQueue>[] = [
  { label: 'Queue', names: true, cell: ({ queue }) => queue },
  {
    label: 'Waiting',
    kind: 'number',
    cell: ({ length }) => <Count value={length} why="the broker has not told" />,
  },
  { label: 'In', kind: 'number', cell: ({ inRate }) => <Rate value={inRate} why="it needs two looks" /> },
  { label: 'Out', kind: 'number', cell: ({ outRate }) => <Rate value={outRate} why="it needs two looks" /> },
  {
    label: 'Handlers',
    cell: ({ handlers }) =>
      handlers.length === 0
        ? 'none that answers'
        : handlers.map(({ service, handler }) => `${handler} (${service})`).join(', '),
  },
];

const bindingColumns: readonly Column<TopologyRow>[] = [
  { label: 'Exchange', kind: 'id', names: true, cell: ({ exchange }) => exchange },
  { label: 'Type', cell: ({ type }) => type ?? <Unknown why="only the management API tells" /> },
  {
    label: 'Pattern',
    kind: 'id',
    cell: ({ pattern, arguments: its }) => (its ? JSON.stringify(its) : pattern),
  },
  { label: 'To', cell: ({ destination, destinationKind }) => `${destinationKind} ${destination}` },
  { label: 'Handlers', cell: ({ handlers }) => handlers.join(', ') },
];

const Tables: View<TopologyModel> = ({ model: { queues, bindings, bindingCount }, context }) => (
  <>
    <Panel title="Queues">
      <Table
        caption="Queues and their handlers"
        captionHidden
        columns={queueColumns}
        rows={queues}
        keyOf={({ queue }) => queue}
        hrefOf={({ queue }) => `${context.base}${queuePath(queue)}`}
      />
    </Panel>
    <Panel
      title="Bindings"
      aside={
        bindingCount > bindings.length
          ? `${countText(bindings.length)} of ${countText(bindingCount)}`
          : undefined
      }
    >
      <Table
        caption="Exchanges, patterns and where they lead"
        captionHidden
        columns={bindingColumns}
        rows={bindings}
        keyOf={({ exchange, pattern, arguments: its, destinationKind, destination }) =>
          JSON.stringify([exchange, pattern, its, destinationKind, destination])
        }
        empty={<Empty title="Nothing is bound: only the default exchange leads to these queues" />}
      />
    </Panel>
  </>
);
