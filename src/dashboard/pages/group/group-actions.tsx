import { ActionForm, Field } from '../../ui/form.js';
import { Panel } from '../../ui/page-head.js';
import { groupPath } from '../addresses.js';
import type { ViewContext } from '../view.js';
import { CANARY_RATE, CANARY_STOPS, canaryText, forgetText, retryText } from './consequences.js';
import type { GroupModel } from './model.js';

interface Props {
  readonly model: GroupModel;
  readonly context: ViewContext;
}

const CanarySection = ({
  group,
  path,
  context,
}: Pick<GroupModel, 'group'> & Pick<Props, 'context'> & { readonly path: string }) => (
  <section>
    <h3>Retry as a canary</h3>
    <p>{canaryText(group)}</p>
    <p class="quiet">{CANARY_STOPS}</p>
    <ActionForm context={context} path={`${path}/canary`} label="Retry as a canary" kind="main">
      <Field name="rate" label="Rate of the rest" value={`${CANARY_RATE}/s`} size={8} />
    </ActionForm>
  </section>
);

/** What can be done with all letters of a group, each with what will happen. */
export function GroupActions({ model: { group, holds, isOthers }, context }: Props) {
  // Whoever holds the queue is shown in place of them: all of these would be refused.
  if (!context.mayAct || holds) return null;
  const path = groupPath(group.id);
  return (
    <Panel title="What to do" wide>
      <div class="ways">
        {isOthers ? null : <CanarySection group={group} path={path} context={context} />}
        <section>
          <h3>Retry all</h3>
          <p>{retryText(group)}</p>
          <ActionForm context={context} path={`${path}/retry`} label="Retry all" confirm={retryText(group)}>
            <Field name="rate" label="Rate" placeholder="no limit" size={8} />
          </ActionForm>
        </section>
        <section>
          <h3>Forget</h3>
          <p>{forgetText(group)}</p>
          <ActionForm
            context={context}
            path={`${path}/forget`}
            label="Forget all"
            kind="danger"
            confirm={forgetText(group)}
          />
        </section>
      </div>
    </Panel>
  );
}
