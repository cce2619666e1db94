import type { IndexState } from '../../../failures/groups/group.js';
import { Ago } from '../../ui/figures/figures.js';
import { Meter } from '../../ui/figures/meter.js';
import { ActionForm } from '../../ui/form.js';
import { Notice } from '../../ui/notice.js';
import { countedText, countText } from '../../ui/text.js';
import type { ViewContext } from '../view.js';

interface IndexProps {
  readonly index: IndexState;
  readonly context: ViewContext;
}

/** How much of the dead letters is known, and how old that is. */
export const IndexStateView = ({ index, context }: IndexProps) => (
  <div class="index-state">
    <p>
      <IndexText index={index} context={context} />
    </p>
    <ActionForm context={context} path="/failures/read-again" label="Read again" />
  </div>
);

function IndexText({ index: { state, progress, readAt }, context: { now } }: IndexProps) {
  if (progress) {
    const text = `${countText(progress.read)} of ${countedText(progress.of, 'dead letter')} read`;
    return (
      <>
        Reading: {text}
        <Meter share={progress.of === 0 ? 1 : progress.read / progress.of} label={text} />
      </>
    );
  }
  if (state === 'reading') return <>Reading the dead letters…</>;
  if (readAt === undefined) return <>The dead letters have not been read yet.</>;
  // The age comes last: it gets longer, and would move what comes after it.
  return (
    <>
      {state === 'stale' ? 'The queues hold another number by now; read' : 'Followed since they were read'}{' '}
      <Ago at={readAt} now={now} />
    </>
  );
}

/** What is wrong with the index, if anything is. */
export const IndexNotices = ({
  index: { problem, notesProblem, leftOut },
}: {
  readonly index: IndexState;
}) => (
  <>
    {problem === undefined ? null : (
      <Notice tone="bad" title="The dead letters could not be read">
        <p>{problem}</p>
      </Notice>
    )}
    {notesProblem === undefined ? null : (
      <Notice tone="warn" title="States and notes of groups could not be read">
        <p>What is shown of them is what was known last: {notesProblem}</p>
      </Notice>
    )}
    {leftOut === 0 ? null : (
      <Notice tone="warn" title={`${countedText(leftOut, 'dead letter')} are not shown: the index is full`}>
        <p>
          They are in their queues as before. What is done to a group leaves them there: repeat it once the
          index has been read again.
        </p>
      </Notice>
    )}
  </>
);
