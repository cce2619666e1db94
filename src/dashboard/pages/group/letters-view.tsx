import { Ago, Bytes, Count } from '../../ui/figures/figures.js';
import { addressOf, Filter, Pager } from '../../ui/filter.js';
import { ActionForm, Field, Select } from '../../ui/form.js';
import { Empty } from '../../ui/notice.js';
import { Panel } from '../../ui/page-head.js';
import { Badge } from '../../ui/state.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText } from '../../ui/text.js';
import { groupPath, messagePath } from '../addresses.js';
import type { ViewContext } from '../view.js';
import type { GroupModel, LetterRow } from './model.js';

const FORM = 'selected';

interface Props {
  readonly model: GroupModel;
  readonly context: ViewContext;
}

/** The letters of a group, the latest first, to look at and to act on single ones. */
export function Letters({ model, context }: Props) {
  const { group, text, span, count, offset, limit, rows, holds } = model;
  const here = `${context.base}${groupPath(group.id)}`;
  const canAct = context.mayAct && holds === undefined;
  return (
    <Panel title="Dead letters" wide aside={countedText(count, 'dead letter')}>
      <Filter href={here} label="Filter dead letters" keep={{ span }}>
        <Field name="text" label="Text" type="search" value={text} placeholder="id, routing key, error" />
      </Filter>
      <Table
        caption="Dead letters of this group"
        captionHidden
        columns={letterColumns(context)}
        rows={rows}
        keyOf={(row) => messagePath(row)}
        hrefOf={(row) => `${context.base}${messagePath(row)}`}
        select={canAct ? { form: FORM, name: 'letter', valueOf: messagePath, labelOf: labelOf } : undefined}
        empty={
          <Empty title="No dead letter matches">
            <p>Text is looked for in ids, routing keys and errors, not in bodies.</p>
          </Empty>
        }
      />
      {canAct && rows.length > 0 ? (
        <ActionForm
          context={context}
          id={FORM}
          path={`${groupPath(group.id)}/selected`}
          label="Do it with the ticked ones"
        >
          <Select
            name="do"
            label="With the ticked ones"
            value="retry"
            options={[
              ['retry', 'retry'],
              ['forget', 'move to the trash'],
            ]}
          />
        </ActionForm>
      ) : null}
      <Pager
        count={count}
        offset={offset}
        limit={limit}
        hrefOf={(to) => addressOf(here, { span, text, offset: to || undefined })}
      />
    </Panel>
  );
}

const labelOf = ({ id }: LetterRow): string => `select ${id}`;

/** Columns of a list of dead letters. */
export const letterColumns = ({ now }: Pick<ViewContext, 'now'>): readonly Column<LetterRow>[] => [
  { label: 'Id', kind: 'id', names: true, cell: ({ id }) => id },
  {
    label: 'Failed',
    kind: 'number',
    cell: ({ failedAt }) => <Ago at={failedAt} now={now} why="the letter does not say" />,
  },
  { label: 'Routing key', kind: 'id', cell: ({ routingKey }) => routingKey },
  { label: 'Error', cell: ({ error, reason }) => error ?? reason },
  {
    label: 'Attempts',
    kind: 'number',
    cell: ({ attempts }) => <Count value={attempts} why="they were not counted" />,
  },
  { label: 'Size', kind: 'number', cell: ({ bytes }) => <Bytes value={bytes} /> },
  {
    label: 'Version',
    cell: ({ version, replay }) => (
      <>
        {version === undefined ? null : <Badge>{version}</Badge>}
        {replay === undefined ? null : <Badge title={`came back from the replay ${replay}`}>came back</Badge>}
      </>
    ),
  },
];
