import { Count, DurationText } from '../../ui/figures/figures.js';
import { addressOf, Filter, Pager } from '../../ui/filter.js';
import { Field } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { Table } from '../../ui/table.js';
import { countedText } from '../../ui/text.js';
import { batchPath, groupPath, jobPath, messagePath, queuePath } from '../addresses.js';
import { IndexNotices } from '../failures/index-state.js';
import { letterColumns } from '../group/letters-view.js';
import { handlerPath } from '../handlers/handler-path.js';
import type { View, ViewContext } from '../view.js';
import type { SearchModel } from './model.js';

export const SearchView: View<SearchModel> = ({ model, context }) => {
  const here = `${context.base}/search`;
  return (
    <>
      <PageHead
        title="Search"
        lead="By id, name of a job, correlation id, trace, chain or batch, and by text of errors, routing keys, queues, handlers and notes."
      />
      <Filter href={here} label="Search">
        <Field name="q" label="Id or text" type="search" value={model.text} size={40} />
      </Filter>
      <IndexNotices index={model.index} />
      {model.unknown.map((problem) => (
        <Notice key={problem} tone="warn" title="Not all could be searched">
          <p>{problem}</p>
        </Notice>
      ))}
      {model.text === '' ? null : <Results model={model} context={context} here={here} />}
    </>
  );
};

interface Props {
  readonly model: SearchModel;
  readonly context: ViewContext;
}

const isEmpty = ({ letterCount, groups, running, job, batch, queues, handlers }: SearchModel): boolean =>
  letterCount + groups.length + running.length + queues.length + handlers.length === 0 &&
  (job ?? batch) === undefined;

const Results = ({ model, context, here }: Props & { readonly here: string }) => (
  <>
    {isEmpty(model) ? (
      <Empty title="Nothing is known under this">
        {model.index.readAt === undefined ? (
          <p>The dead letters are still being read: search again in a moment.</p>
        ) : null}
      </Empty>
    ) : null}
    <Letters model={model} context={context} here={here} />
    <Groups model={model} context={context} />
    <Running model={model} />
    <Others model={model} context={context} />
    <p class="quiet">
      Not searched: bodies and headers of dead letters (<code>hopline failed list --grep TEXT</code> reads
      them all), and messages that wait in queues.
    </p>
  </>
);

function Letters({ model, context, here }: Props & { readonly here: string }) {
  const { letters, letterCount, offset, limit, text } = model;
  if (letterCount === 0) return null;
  return (
    <Panel title="Dead letters" wide aside={countedText(letterCount, 'dead letter')}>
      <Table
        caption="Dead letters that match"
        captionHidden
        columns={letterColumns(context)}
        rows={letters}
        keyOf={messagePath}
        hrefOf={(row) => `${context.base}${messagePath(row)}`}
      />
      <Pager
        count={letterCount}
        offset={offset}
        limit={limit}
        hrefOf={(to) => addressOf(here, { q: text, offset: to || undefined })}
      />
    </Panel>
  );
}

const Groups = ({ model: { groups }, context }: Props) =>
  groups.length === 0 ? null : (
    <Panel title="Groups of dead letters" wide>
      <Table
        caption="Groups that match"
        captionHidden
        rows={groups}
        keyOf={({ id }) => id}
        hrefOf={({ id }) => `${context.base}${groupPath(id)}`}
        columns={[
          { label: 'Failure', names: true, cell: ({ kind, message }) => `${kind}: ${message}` },
          { label: 'Letters', kind: 'number', cell: ({ count }) => <Count value={count} /> },
          { label: 'Handler', cell: ({ handler }) => handler },
          { label: 'Queue', cell: ({ queue }) => queue },
        ]}
      />
    </Panel>
  );

const Running = ({ model: { running } }: Pick<Props, 'model'>) =>
  running.length === 0 ? null : (
    <Panel title="Running now" wide>
      <Table
        caption="Running messages that match"
        captionHidden
        rows={running}
        keyOf={({ host, pid, queue, messageId, attempt }) => [host, pid, queue, messageId, attempt].join(' ')}
        columns={[
          { label: 'Id', kind: 'id', names: true, cell: ({ messageId }) => messageId ?? 'without id' },
          { label: 'Handler', cell: ({ handler }) => handler },
          { label: 'Queue', cell: ({ queue }) => queue },
          { label: 'For', kind: 'number', cell: ({ runningMs }) => <DurationText value={runningMs} /> },
          { label: 'Process', cell: ({ service, host, pid }) => `${service} ${host} ${pid}` },
        ]}
      />
    </Panel>
  );

/** A job, a batch, queues and handlers: each a link. */
function Others({ model: { job, batch, queues, handlers }, context: { base } }: Props) {
  const links: (readonly [href: string, name: string, kind: string])[] = [
    ...(job ? [[jobPath(job.id), job.name ?? job.id, 'job'] as const] : []),
    ...(batch ? [[batchPath(batch.id), batch.name, 'batch'] as const] : []),
    ...queues.map((queue) => [queuePath(queue), queue, 'queue'] as const),
    ...handlers.map((each) => [handlerPath(each), each.handler, `handler of ${each.queue}`] as const),
  ];
  if (links.length === 0) return null;
  return (
    <Panel title="By name" wide>
      <ul class="found">
        {links.map(([href, name, kind]) => (
          <li key={href}>
            <a href={`${base}${href}`}>{name}</a> <span class="quiet">{kind}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
