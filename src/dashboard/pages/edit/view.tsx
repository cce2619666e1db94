import { ActionForm, TextArea } from '../../ui/form.js';
import { Empty, Notice } from '../../ui/notice.js';
import { PageHead, Panel } from '../../ui/page-head.js';
import { countedText } from '../../ui/text.js';
import { messagePath } from '../addresses.js';
import type { View } from '../view.js';
import type { EditModel } from './model.js';

export const EditView: View<EditModel> = ({ model, context }) => {
  const { id, queue, state, hidden, wasEncrypted, copies, problems } = model;
  const path = messagePath(model);
  return (
    <>
      <PageHead
        above={[
          [`${context.base}/failures`, 'Failures'],
          [`${context.base}${path}`, id],
        ]}
        title="Edit and retry"
        lead={
          queue === undefined
            ? 'The message is replayed as it stands here; a header says who has edited it.'
            : `The message is replayed to ${queue} as it stands here; a header says who has edited it.`
        }
      />
      {problems.length === 0 ? null : (
        <Notice tone="bad" title="Nothing was sent">
          <ul id="problems">
            {problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </Notice>
      )}
      {state !== 'ready' ? (
        <NotReady model={model} href={`${context.base}${path}`} />
      ) : context.mayAct ? (
        <Panel title="Message" wide>
          {hidden === 0 ? null : (
            <p>
              {countedText(hidden, 'secret value is', 'secret values are')} not shown: leave{' '}
              <code>‹redacted 1›</code> where it stands to keep the value, or write another.
            </p>
          )}
          {wasEncrypted ? <p>The body is encrypted again before it is sent.</p> : null}
          {copies > 1 ? (
            <p>{countedText(copies, 'copy', 'copies')} of it are there; one is replayed.</p>
          ) : null}
          <ActionForm context={context} path={`${path}/edit`} label="Retry as edited" kind="main">
            <TextArea
              name="body"
              label="Body"
              value={model.body}
              rows={20}
              describedBy={problems.length > 0 ? 'problems' : undefined}
            />
            <TextArea name="headers" label="Headers, as JSON" value={model.headers} rows={6} />
          </ActionForm>
        </Panel>
      ) : (
        <Empty title="Actions are not allowed here" />
      )}
    </>
  );
};

/** In place of the form. */
function NotReady({ model: { state, problem }, href }: { readonly model: EditModel; readonly href: string }) {
  if (state === 'reading')
    return (
      <Empty title="The letter is still being read">
        <p>
          Its queue is long, or an operation works on it. <a href={`${href}/edit`}>Look again</a>
        </p>
      </Empty>
    );
  return (
    <Empty title={state === 'gone' ? 'It is not in its queue any more' : "It can't be edited here"}>
      {problem === undefined ? null : <p>{problem}</p>}
    </Empty>
  );
}
