import type { ErrorGroup } from '../../../consume/report/error-groups.js';
import type { SlowMessage } from '../../site/seen.js';
import { ChartRow, OutcomeChart, PercentileChart } from '../../ui/chart/charts.js';
import { SPANS } from '../../ui/chart/spans.js';
import { Ago, Count, DurationText, Rate, Share } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { addressOf } from '../../ui/filter.js';
import { ActionForm } from '../../ui/form.js';
import { Looked } from '../../ui/looked.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { type Column, Table } from '../../ui/table.js';
import { countedText, countText, durationText } from '../../ui/text.js';
import { queuePath, searchPath, segmentOf } from '../addresses.js';
import { RunningTable } from '../running/table.js';
import type { Part, View, ViewContext } from '../view.js';
import { handlerPath } from './handler-path.js';
import { Limits } from './limits.js';
import type { HandlerModel } from './model.js';
import { failureTone } from './view.js';

export const HandlerView: View<HandlerModel> = ({ model, context }) => {
  const { looked, handler, running, problem, charts } = model;
  const { base, now } = context;
  return (
    <>
      <PageHead
        title={handler.handler}
        above={[
          [`${base}/handlers`, 'Handlers'],
          [`${base}${queuePath(handler.queue)}`, handler.queue],
        ]}
        lead={`of the service ${handler.service}`}
      />
      <Looked of={looked} now={now} />
      <OpenCircuit model={model} context={context} />
      <Figures model={model} context={context} />
      <ChartRow of={charts} href={`${base}${handlerPath(handler)}`}>
        <OutcomeChart title="Outcomes" of={charts.of} />
        <PercentileChart title="Run time" name="run" of={charts.of} />
        <PercentileChart title="Wait" name="wait" of={charts.of} />
      </ChartRow>
      <Limits handler={handler} context={context} />
      <Errors errors={handler.errors} now={now} />
      <Panel title="Running now">
        {problem === undefined ? null : <Notice tone="warn" title={problem} />}
        <RunningTable
          rows={running}
          context={context}
          empty={<Empty title="None of its messages runs at the moment" />}
        />
      </Panel>
      <Slowest model={model} context={context} />
    </>
  );
};

const OpenCircuit: Part<HandlerModel> = ({
  model: {
    handler: { circuitsOpen, queue, handler },
  },
  context,
}) =>
  circuitsOpen ? (
    <Notice tone="bad" title="Its circuit is open: too many of its attempts have failed">
      <p>Its queue waits until a trial succeeds. Close it once what it calls is well again.</p>
      <ActionForm
        context={context}
        path={`${queuePath(queue)}/circuits/${segmentOf(handler)}/close`}
        label="Close the circuit"
        kind="main"
      />
    </Notice>
  ) : null;

const NONE_ENDED = 'no attempt has ended lately';

const Figures: View<HandlerModel> = ({ model: { handler, handledInSpan, charts }, context: { base } }) => (
  <Stats>
    <Stat
      label="Attempts"
      note={`${handledInSpan === undefined ? '–' : countText(handledInSpan)} handled within the ${SPANS[charts.span].text}`}
    >
      <Rate value={handler.perSecond} />
    </Stat>
    <Stat
      label="Fail"
      note={`${countText(handler.failures)} failed, ${countText(handler.timedOut)} timed out`}
      tone={failureTone(handler.failureRate)}
    >
      <Share value={handler.failureRate} why={NONE_ENDED} />
    </Stat>
    <Stat label="Run time p95" note={`of at most ${durationText(handler.timeoutMs)}`}>
      <DurationText value={handler.runtimeMs?.p95} why={NONE_ENDED} />
    </Stat>
    <Stat label="Wait p95" note="from the publish to the first attempt">
      <DurationText value={handler.waitMs?.p95} why={NONE_ENDED} />
    </Stat>
    <Stat
      label="Running"
      note={
        handler.longestMs === undefined ? undefined : `the longest for ${durationText(handler.longestMs)}`
      }
    >
      <Count value={handler.running} />
    </Stat>
    <Stat
      label="Dead letters"
      note={`and ${countedText(handler.retries, 'retry', 'retries')}, since the start`}
      href={addressOf(`${base}/failures`, { handler: handler.handler })}
      tone={handler.deadLettered > 0 ? 'bad' : undefined}
    >
      <Count value={handler.deadLettered} />
    </Stat>
  </Stats>
);

const Errors = ({ errors, now }: { readonly errors: readonly ErrorGroup[]; readonly now: number }) => (
  <Panel title="Last errors">
    <Table
      caption="Last errors of its attempts by kind"
      captionHidden
      columns={[
        { label: 'Kind', kind: 'id', names: true, cell: ({ kind }: ErrorGroup) => kind },
        { label: 'Latest message', cell: ({ message }) => message },
        { label: 'Times', kind: 'number', cell: ({ count }) => <Count value={count} /> },
        { label: 'Latest', kind: 'number', cell: ({ lastAt }) => <Ago at={lastAt} now={now} /> },
      ]}
      rows={errors}
      keyOf={({ kind }) => kind}
      empty={<Empty title="None of its attempts has failed since the processes have started" />}
    />
  </Panel>
);

const slowColumns = ({ now }: ViewContext): readonly Column<SlowMessage>[] => [
  { label: 'Message', kind: 'id', names: true, cell: ({ messageId }) => messageId ?? 'without an id' },
  { label: 'Run time', kind: 'number', cell: ({ runMs }) => <DurationText value={runMs} /> },
  { label: 'Outcome', cell: ({ outcome }) => outcome },
  { label: 'Ended', kind: 'number', cell: ({ endedAt }) => <Ago at={endedAt} now={now} /> },
];

const Slowest: View<HandlerModel> = ({ model: { slowest }, context }) => (
  <Panel title="Slowest" aside="of the last minutes">
    <Table
      caption="Slowest messages of the last minutes"
      captionHidden
      columns={slowColumns(context)}
      rows={slowest}
      keyOf={({ messageId, endedAt }) => `${messageId} ${endedAt}`}
      hrefOf={({ messageId }) =>
        messageId === undefined ? undefined : `${context.base}${searchPath(messageId)}`
      }
      empty={<Empty title="No attempt has ended in the last minutes" />}
    />
  </Panel>
);
