import { Count, DurationText, Rate, Share } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { Looked } from '../../ui/looked.js';
import { PageHead } from '../../ui/page-head.js';
import { failureTone } from '../handlers/view.js';
import type { View } from '../view.js';
import { Charts } from './charts.js';
import { Handlers } from './handlers.js';
import type { OverviewModel } from './model.js';
import { NewFailures, Operations } from './panels.js';
import { WrongNow } from './wrong-now.js';

export const OverviewView: View<OverviewModel> = ({ model, context }) => (
  <>
    <PageHead title="Overview" />
    <Looked of={model.looked} now={context.now} />
    <WrongNow model={model} context={context} />
    <Totals model={model} context={context} />
    <Charts charts={model.charts} />
    <Operations model={model} context={context} />
    <NewFailures model={model} context={context} />
    <Handlers model={model} context={context} />
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
      <Stat label="Waiting" note={<Oldest ms={oldestMs} />} href={`${base}/queues`}>
        <Count value={waiting} why="no queue could be counted" />
      </Stat>
      <Stat label="Running" note={<Slots slots={slots} />} href={`${base}/running`}>
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

const Oldest = ({ ms }: { readonly ms: number | undefined }) => (
  <>
    the oldest for <DurationText value={ms} />
  </>
);

const Slots = ({ slots }: { readonly slots: number | undefined }) => (
  <>
    of <Count value={slots} why="no process has answered" /> slots
  </>
);
