import { useRef } from 'preact/hooks';
import { ActionForm, Select, TextArea } from '../../ui/form.js';
import { Panel } from '../../ui/page-head.js';
import { momentText } from '../../ui/text.js';
import { groupPath } from '../addresses.js';
import type { GroupRow } from '../failures/model.js';
import type { ViewContext } from '../view.js';

interface Props {
  readonly group: GroupRow;
  readonly context: ViewContext;
}

const STATES = [
  ['open', 'open: nobody is at it'],
  ['seen', 'seen: somebody is at it'],
  ['resolved', 'resolved: it is mended'],
] as const;

/** What operators have said of a group, and the form to say it. */
export function GroupNote({ group, context }: Props) {
  const { id, state, note, by, at } = group;
  // As the page was loaded with: a newer model must not pass for what the operator has read before he wrote.
  const { current: drawn } = useRef({ 'state-was': state, 'note-was': note ?? '' });
  return (
    <Panel title="State and note">
      {note === undefined || note === '' ? <p class="quiet">No note.</p> : <p class="note">{note}</p>}
      {by === undefined ? null : (
        <p class="quiet">
          {by}
          {at === undefined ? '' : `, ${momentText(at)}`}
        </p>
      )}
      {state === 'back' ? <p>It was resolved, and has failed again since.</p> : null}
      <ActionForm context={context} path={`${groupPath(id)}/mark`} label="Note it" fields={drawn}>
        <Select name="state" label="State" value={state === 'back' ? 'seen' : state} options={STATES} />
        <TextArea name="note" label="Note" value={note} rows={2} />
      </ActionForm>
    </Panel>
  );
}
