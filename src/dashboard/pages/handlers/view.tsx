import { Count, DurationText, Rate, Share } from '../../ui/figures/figures.js';
import { addressOf, Filter, Pager } from '../../ui/filter.js';
import { Field, Select } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import { State } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText } from '../../ui/text.js';
import type { View } from '../view.js';
import { handlerPath } from './handler-path.js';
import { HANDLER_SORTS, type HandlerRow, type HandlersModel } from './model.js';

export const HandlersView: View<HandlersModel> = ({ model, context }) => {
  const { looked, text, sort, count, offset, limit, rows } = model;
  const href = `${context.base}/handlers`;
  return (
    <>
      <PageHead
        title="Handlers"
        lead={`${countedText(count, 'handler')}; figures of the last 30 to 60 s, of all processes`}
      />
      <Looked of={looked} now={context.now} />
      <Filter href={href} label="Filter handlers">
        <Field name="text" type="search" label="Handler, queue or service has" value={text} />
        <Select
          name="sort"
          label="Sort by"
          value={sort}
          options={HANDLER_SORTS.map((each) => [each, each])}
        />
      </Filter>
      <Table
        caption="Handlers"
        captionHidden
        columns={COLUMNS}
        rows={rows}
        keyOf={handlerPath}
        hrefOf={(row) => `${context.base}${handlerPath(row)}`}
        empty={
          <Empty
            title={text === '' ? 'No worker has told of a handler' : `No handler has '${text}' in its names`}
          >
            {text === '' ? (
              <p>Start a process that handles messages; it is seen here as soon as it answers.</p>
            ) : undefined}
          </Empty>
        }
      />
      <Pager {...{ count, offset, limit }} hrefOf={(from) => addressOf(href, { text, sort, offset: from })} />
    </>
  );
};

const NONE_ENDED = 'no attempt has ended lately';

/** A handler that fails more of its attempts than this is drawn as one to look at. */
const FAILING = 0.05;

export const failureTone = (rate: number | undefined): 'bad' | undefined =>
  rate !== undefined && rate >= FAILING ? 'bad' : undefined;

const COLUMNS: readonly Column<HandlerRow>[] = [
  { label: 'Handler', kind: 'id', names: true, cell: ({ handler }) => handler },
  { label: 'Queue', kind: 'id', cell: ({ queue }) => queue },
  { label: 'Service', cell: ({ service }) => service },
  { label: 'Running', kind: 'number', cell: ({ running }) => <Count value={running} /> },
  { label: 'Attempts', kind: 'number', cell: ({ perSecond }) => <Rate value={perSecond} /> },
  {
    label: 'Run p50',
    kind: 'number',
    hint: 'median of the run time',
    cell: ({ runtimeMs }) => <DurationText value={runtimeMs?.p50} why={NONE_ENDED} />,
  },
  {
    label: 'p95',
    kind: 'number',
    cell: ({ runtimeMs }) => <DurationText value={runtimeMs?.p95} why={NONE_ENDED} />,
  },
  {
    label: 'p99',
    kind: 'number',
    cell: ({ runtimeMs }) => <DurationText value={runtimeMs?.p99} why={NONE_ENDED} />,
  },
  {
    label: 'Wait p95',
    kind: 'number',
    hint: 'from the publish to the first attempt',
    cell: ({ waitMs }) => <DurationText value={waitMs?.p95} why={NONE_ENDED} />,
  },
  {
    label: 'Fail',
    kind: 'number',
    hint: 'share of the attempts that fail',
    cell: ({ failureRate }) => <Share value={failureRate} why={NONE_ENDED} tone={failureTone(failureRate)} />,
  },
  {
    label: 'Retries',
    kind: 'number',
    hint: 'since the processes have started',
    cell: ({ retries }) => <Count value={retries} />,
  },
  {
    label: 'Dead letters',
    kind: 'number',
    hint: 'since the processes have started',
    cell: ({ deadLettered }) => <Count value={deadLettered} tone={deadLettered > 0 ? 'bad' : undefined} />,
  },
  { label: 'Circuit', cell: ({ circuitsOpen }) => <Circuit open={circuitsOpen} /> },
  {
    label: 'Last error',
    cell: ({ lastError }) =>
      lastError === undefined ? '' : <span class="cut">{`${lastError.kind}: ${lastError.message}`}</span>,
  },
];

/** @param open processes in which it is open; undefined if the handler has none */
export const Circuit = ({ open }: { readonly open: number | undefined }) =>
  open === undefined ? null : open === 0 ? (
    <State tone="quiet">closed</State>
  ) : (
    <State tone="bad">{`open in ${open}`}</State>
  );
