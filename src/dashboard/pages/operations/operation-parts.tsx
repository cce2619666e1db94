import { Ago, Count } from '../../ui/figures/figures.js';
import { ActionForm } from '../../ui/form.js';
import { State } from '../../ui/state.js';
import { countedText, countText } from '../../ui/text.js';
import { groupPath, messagePath, operationPath } from '../addresses.js';
import type { ViewContext } from '../view.js';
import type { OperationRow } from './model.js';
import { KINDS, STAGES, STATE_HINTS, STATE_TONES } from './words.js';

interface OperationProps {
  readonly operation: OperationRow;
  readonly context: ViewContext;
}

/** `Retry as a canary`, a link to its page. */
export const OperationLink = ({ operation: { id, kind }, context }: OperationProps) => (
  <a href={`${context.base}${operationPath(id)}`}>{KINDS[kind]}</a>
);

export const OperationStateView = ({ operation: { state } }: Pick<OperationProps, 'operation'>) => (
  <State tone={STATE_TONES[state]} title={STATE_HINTS[state]}>
    {state}
  </State>
);

/** The group or the letters that it is about, as links. */
export function OperationSubject({
  operation: { group, groupText, ids, idCount, deadQueues },
  context,
}: OperationProps) {
  if (group !== undefined)
    return groupText === undefined ? (
      <span title="no dead letter is in it any more">group {group}</span>
    ) : (
      <a href={`${context.base}${groupPath(group)}`}>{groupText}</a>
    );
  const [id] = ids;
  const [deadQueue] = deadQueues;
  if (idCount !== 1 || id === undefined || deadQueue === undefined)
    return <>{countedText(idCount, 'dead letter')}</>;
  return <a href={`${context.base}${messagePath({ deadQueue, id })}`}>{id}</a>;
}

/** How far it is: a bar, and the figures beside it. */
export const OperationProgress = ({
  operation: { total, done, failed },
}: Pick<OperationProps, 'operation'>) => (
  <span class="progress">
    <progress max={Math.max(1, total)} value={total === 0 ? 1 : done + failed} aria-label="Progress" />
    <span class="num">
      {countText(done)} of {countText(total)}
      {failed === 0 ? '' : `, ${countText(failed)} could not be`}
    </span>
  </span>
);

/** Stage of a canary and what workers have reported; nothing for other operations. */
export function CanaryStage({ operation: { canary } }: Pick<OperationProps, 'operation'>) {
  if (!canary) return null;
  const { stage, handled, cameBack, failedOtherwise, unheard } = canary;
  return (
    <dl class="facts canary">
      <div>
        <dt>Stage</dt>
        <dd>{STAGES[stage]}</dd>
      </div>
      <div>
        <dt>Handled</dt>
        <dd>
          <Count value={handled} />
        </dd>
      </div>
      <div>
        <dt>Came back</dt>
        <dd>
          <Count value={cameBack} tone={cameBack > 0 ? 'bad' : undefined} />
        </dd>
      </div>
      <div>
        <dt>Failed otherwise</dt>
        <dd>
          <Count value={failedOtherwise} tone={failedOtherwise > 0 ? 'bad' : undefined} />
        </dd>
      </div>
      <div>
        <dt>Not heard of yet</dt>
        <dd>
          <Count value={unheard} />
        </dd>
      </div>
    </dl>
  );
}

export const StopButton = ({ operation: { id, kind, state }, context }: OperationProps) =>
  state === 'running' || state === 'abandoned' ? (
    <ActionForm
      context={context}
      path={`${operationPath(id)}/stop`}
      label="Stop"
      kind="danger"
      title={`Stop: ${KINDS[kind]}`}
    />
  ) : null;

/** `ada, 3 min ago`. */
export const OperationBy = ({ operation: { by, startedAt }, context: { now } }: OperationProps) => (
  <>
    {by}, <Ago at={startedAt} now={now} />
  </>
);
