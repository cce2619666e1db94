import { Count } from '../../ui/figures/figures.js';
import { Stat, Stats } from '../../ui/figures/stat.js';
import { Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { countedText, durationText, momentText } from '../../ui/text.js';
import { KeyValue } from '../../ui/text-blocks.js';
import { messagePath } from '../addresses.js';
import type { OperationModel, OperationRow } from '../operations/model.js';
import {
  CanaryStage,
  OperationBy,
  OperationProgress,
  OperationStateView,
  OperationSubject,
  StopButton,
} from '../operations/operation-parts.js';
import { KINDS, STATE_HINTS } from '../operations/words.js';
import type { View } from '../view.js';

export const OperationView: View<OperationModel> = ({ model: { operation, left }, context }) => (
  <>
    <PageHead
      above={[
        [`${context.base}/failures`, 'Failures'],
        [`${context.base}/operations`, 'Operations'],
      ]}
      title={KINDS[operation.kind]}
      lead={<OperationSubject operation={operation} context={context} />}
    >
      <StopButton operation={operation} context={context} />
    </PageHead>
    <Ending operation={operation} />
    <Panel title="How far it is" wide>
      <OperationProgress operation={operation} />
      <Stats>
        <Stat label="State">
          <OperationStateView operation={operation} />
        </Stat>
        <Stat label="Dead letters" note="when it began">
          <Count value={operation.total} />
        </Stat>
        <Stat label="Done">
          <Count value={operation.done} />
        </Stat>
        <Stat
          label="Could not be"
          tone={operation.failed > 0 ? 'bad' : undefined}
          note="they are where they were"
        >
          <Count value={operation.failed} />
        </Stat>
        {left === undefined ? null : (
          <Stat label="In the group now">
            <Count value={left} />
          </Stat>
        )}
      </Stats>
      <CanaryStage operation={operation} />
    </Panel>
    <Panel title="What it is" wide>
      <KeyValue
        of={[
          ['Begun by', <OperationBy key="by" operation={operation} context={context} />],
          ['Begun at', momentText(operation.startedAt)],
          ['Ended at', operation.endedAt === undefined ? undefined : momentText(operation.endedAt)],
          [
            'Took',
            operation.endedAt === undefined
              ? undefined
              : durationText(operation.endedAt - operation.startedAt),
          ],
          ['Dead-letter queues', operation.deadQueues.join(', ')],
          ['To', DESTINATIONS[operation.kind === 'forget' ? 'trash' : operation.to]],
          ['Rate', rateText(operation)],
          ['Replay id', <code key="id">{operation.id}</code>],
          ['Letters', <LetterLinks key="letters" operation={operation} base={context.base} />],
        ]}
      />
    </Panel>
  </>
);

const DESTINATIONS = {
  queue: 'the queue in which each failed',
  republish: 'exchange and routing key, as a new message',
  trash: 'the trash, for a day',
};

const rateText = ({ rate }: OperationRow): string =>
  rate === undefined ? 'as fast as the broker confirms' : typeof rate === 'number' ? `${rate}/s` : rate;

/** What an operation that has ended came to. */
function Ending({ operation: { state, why } }: { readonly operation: OperationRow }) {
  if (why === undefined && (state === 'running' || state === 'done')) return null;
  const tone = state === 'failed' ? 'bad' : state === 'done' ? 'good' : 'warn';
  return (
    <Notice tone={tone} title={why ?? STATE_HINTS[state]}>
      {why === undefined ? null : <p>{STATE_HINTS[state]}</p>}
    </Notice>
  );
}

/** Single letters that it is about; nothing for a group. */
function LetterLinks({ operation, base }: { readonly operation: OperationRow; readonly base: string }) {
  const { ids, idCount, deadQueues } = operation;
  const [deadQueue] = deadQueues;
  if (deadQueue === undefined || ids.length === 0) return null;
  return (
    <ul>
      {ids.map((id) => (
        <li key={id}>
          <a href={`${base}${messagePath({ deadQueue, id })}`}>{id}</a>
        </li>
      ))}
      {idCount > ids.length ? <li>{countedText(idCount - ids.length, 'more', 'more')}</li> : null}
    </ul>
  );
}
