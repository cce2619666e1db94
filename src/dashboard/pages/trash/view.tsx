import { Ago } from '../../ui/figures/figures.js';
import { addressOf, Pager } from '../../ui/filter.js';
import { ActionForm } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText } from '../../ui/text.js';
import type { View, ViewContext } from '../view.js';
import type { TrashModel, TrashRow } from './model.js';

const FORM = 'restore';

export const TrashView: View<TrashModel> = ({ model, context }) => {
  const { rows, count, listed, offset, limit, state, problem, readAt } = model;
  const here = `${context.base}/trash`;
  return (
    <>
      <PageHead
        title="Trash"
        lead={
          <>
            Dead letters that were forgotten. Each is gone a day after that.{' '}
            {readAt === undefined ? null : (
              <>
                Read <Ago at={readAt} now={context.now} />.
              </>
            )}
          </>
        }
      >
        {count === 0 ? null : (
          <ActionForm
            context={context}
            path="/trash/restore-all"
            label="Restore all"
            confirm={`${countedText(count, 'dead letter')} will be moved back to the dead-letter queues that they were in.`}
          />
        )}
      </PageHead>
      {problem === undefined ? null : (
        <Notice tone="bad" title="The trash could not be read">
          <p>{problem}</p>
        </Notice>
      )}
      {listed < count ? (
        <p class="quiet">
          The latest {countedText(listed, 'letter')} of {count} are listed.
        </p>
      ) : null}
      <Table
        caption="Letters in the trash"
        columns={columnsOf(context)}
        rows={rows}
        keyOf={({ id, deadQueue, at }) => [id, deadQueue, at].join(' ')}
        select={
          context.mayAct
            ? { form: FORM, name: 'letter', valueOf: ({ id }) => id, labelOf: ({ id }) => `select ${id}` }
            : undefined
        }
        empty={
          state === 'reading' ? (
            <Empty title="The trash is being read" />
          ) : (
            <Empty title="The trash is empty">
              <p>
                What is forgotten on the pages of <a href={`${context.base}/failures`}>failures</a> is here
                for a day.
              </p>
            </Empty>
          )
        }
      />
      {rows.length === 0 ? null : (
        <ActionForm context={context} id={FORM} path="/trash/restore" label="Restore the ticked ones" />
      )}
      <Pager
        count={listed}
        offset={offset}
        limit={limit}
        hrefOf={(to) => addressOf(here, { offset: to || undefined })}
      />
    </>
  );
};

const columnsOf = ({ now }: ViewContext): readonly Column<TrashRow>[] => [
  { label: 'Id', kind: 'id', names: true, cell: ({ id }) => id },
  { label: 'Was in', cell: ({ deadQueue }) => deadQueue ?? 'not known: another program has put it here' },
  { label: 'Routing key', kind: 'id', cell: ({ routingKey }) => routingKey },
  { label: 'Error', cell: ({ error, reason }) => error ?? reason },
  { label: 'Failed', kind: 'number', cell: ({ failedAt }) => <Ago at={failedAt} now={now} /> },
  { label: 'Forgotten', kind: 'number', cell: ({ at }) => <Ago at={at} now={now} /> },
  { label: 'By', cell: ({ by }) => by ?? '' },
  { label: 'Gone', kind: 'number', cell: ({ until }) => <Ago at={until} now={now} /> },
];
