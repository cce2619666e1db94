import { ChartRow, OutcomeChart, PercentileChart } from '../../ui/chart/charts.js';
import { Count, Rate, Share } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { Looked } from '../../ui/looked.js';
import { PageHead } from '../../ui/page-head.js';
import { countedText, durationText } from '../../ui/text.js';
import { failureTone } from '../handlers/view.js';
import type { View } from '../view.js';
import { Doctor } from './doctor.js';
import { Handlers } from './handlers.js';
import type { OverviewModel } from './model.js';
import { NewFailures, Operations } from './panels.js';
import { WrongNow } from './wrong-now.js';

export const OverviewView: View<OverviewModel> = ({ model, context }) => (
  <>
    <PageHead title="Overview" />
    <Looked of={model.looked} now={context.now} />
    <div class="overview-top">
      <Totals model={model} context={context} />
      <WrongNow model={model} context={context} />
    </div>
    <ChartRow of={model.charts} href={`${context.base}/`}>
      <OutcomeChart title="Throughput" of={model.charts.of} />
      <PercentileChart title="Run time" name="run" of={model.charts.of} />
      <PercentileChart title="Wait" name="wait" of={model.charts.of} />
    </ChartRow>
    <Handlers model={model} context={context} />
    {/* What may become longer comes last: nothing is below that it could move. */}
    <NewFailures model={model} context={context} />
    <Operations model={model} context={context} />
    <Doctor model={model} context={context} />
  </>
);

const Totals: View<OverviewModel> = ({ model, context: { base } }) => {
  const { perSecond, failureRate, running, slots, waiting, oldestMs, deadLetters, processes } = model;
  return (
    <Stats>
      <Stat label="Attempts" note="in the last minute" href={`${base}/handlers`}>
        <Rate value={perSecond} />
      </Stat>
      <Stat label="Fail" note="of these attempts" tone={failureTone(failureRate)}>
        <Share value={failureRate} why="no attempt has ended lately" />
      </Stat>
      <Stat
        label="Waiting"
        note={
          oldestMs === undefined || waiting === 0 ? undefined : `the oldest for ${durationText(oldestMs)}`
        }
        href={`${base}/queues`}
      >
        <Count value={waiting} why="no queue could be counted" />
      </Stat>
      <Stat
        label="Running"
        note={slots === undefined ? undefined : `of ${countedText(slots, 'slot')}`}
        href={`${base}/running`}
      >
        <Count value={running} />
      </Stat>
      <Stat
        label="Dead letters"
        note="to be looked at"
        tone={deadLetters ? 'bad' : undefined}
        href={`${base}/failures`}
      >
        <Count value={deadLetters} why="no queue of dead letters could be counted" />
      </Stat>
      <Stat
        label="Processes"
        note="that answer"
        tone={processes === 0 ? 'bad' : undefined}
        href={`${base}/workers`}
      >
        <Count value={processes} />
      </Stat>
    </Stats>
  );
};
