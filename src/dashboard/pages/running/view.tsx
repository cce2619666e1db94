import { Count } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { addressOf, Filter, Pager } from '../../ui/filter.js';
import { Field } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead } from '../../ui/page-head.js';
import type { View } from '../view.js';
import type { RunningModel } from './model.js';
import { RunningTable } from './table.js';

export const RunningView: View<RunningModel> = ({ model, context }) => {
  const { looked, text, count, offset, limit, rows, running, slots, problem } = model;
  const href = `${context.base}/running`;
  return (
    <>
      <PageHead title="Running now" lead="The longest first, a hundred of each process at most." />
      <Looked of={looked} now={context.now} />
      {problem === undefined ? null : <Notice tone="warn" title={problem} />}
      <Stats>
        <Stat label="Running">
          <Count value={running} />
        </Stat>
        <Stat label="Slots" note="of all processes">
          <Count value={slots} why="no process has answered" />
        </Stat>
      </Stats>
      <Filter href={href} label="Filter messages">
        <Field name="text" type="search" label="Id, handler, queue or host has" value={text} />
      </Filter>
      <RunningTable
        rows={rows}
        context={context}
        empty={
          <Empty title={text === '' ? 'Nothing runs at the moment' : `Nothing that runs has '${text}' in it`}>
            {text === '' ? <p>A message is here for as long as its handler runs.</p> : undefined}
          </Empty>
        }
      />
      <Pager {...{ count, offset, limit }} hrefOf={(from) => addressOf(href, { text, offset: from })} />
    </>
  );
};
