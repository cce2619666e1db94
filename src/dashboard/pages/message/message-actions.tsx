import { ActionForm } from '../../ui/form.js';
import { countedText } from '../../ui/text.js';
import { messagePath } from '../addresses.js';
import type { ViewContext } from '../view.js';
import type { MessageModel } from './model.js';

interface Props {
  readonly model: MessageModel;
  readonly context: ViewContext;
}

/** Retry, edit and retry, forget: of this letter and its copies in the queue. */
export function MessageActions({ model, context }: Props) {
  const { hasLeft, holds, copies, queue, state } = model;
  if (!context.mayAct || hasLeft || holds || state === 'gone') return null;
  const path = messagePath(model);
  const which = copies > 1 ? `All ${countedText(copies, 'copy', 'copies')}` : 'It';
  return (
    <div class="actions">
      <ActionForm
        context={context}
        path={`${path}/retry`}
        label={queue === undefined ? 'Retry' : `Retry in ${queue}`}
        kind="main"
      />
      <a class="button" href={`${context.base}${path}/edit`}>
        Edit and retry
      </a>
      <ActionForm
        context={context}
        path={`${path}/forget`}
        label="Forget"
        kind="danger"
        confirm={`${which} will be moved to the trash, and can be restored from there for a day.`}
      />
    </div>
  );
}
