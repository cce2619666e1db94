import { Bytes } from '../../ui/figures/figures.js';
import { Notice } from '../../ui/notice.js';
import { PageHead, Panel, Panels } from '../../ui/page-head.js';
import { countedText } from '../../ui/text.js';
import { Code, KeyValue } from '../../ui/text-blocks.js';
import { groupPath, messagePath, queuePath } from '../addresses.js';
import { OperationBy, OperationLink } from '../operations/operation-parts.js';
import type { View, ViewContext } from '../view.js';
import { BodyView } from './body-view.js';
import { FieldsView } from './fields-view.js';
import { Ids } from './ids-view.js';
import { MessageActions } from './message-actions.js';
import type { MessageModel } from './model.js';
import { Story } from './story-view.js';

export const MessageView: View<MessageModel> = ({ model, context }) => {
  const { id, group, letter, row } = model;
  return (
    <>
      <PageHead
        above={[
          [`${context.base}/failures`, 'Failures'],
          ...(group ? [[`${context.base}${groupPath(group.id)}`, group.text] as const] : []),
        ]}
        title={<span class="id">{id}</span>}
        lead={letter?.error?.split('\n', 1)[0] ?? row?.error ?? row?.reason}
      />
      <MessageNotices model={model} context={context} />
      <MessageActions model={model} context={context} />
      <Panels>
        <Panel title="What has happened">
          {letter ? <Story steps={letter.story} now={context.now} /> : <Waiting model={model} />}
        </Panel>
        <Panel title="Where it belongs">
          <Place model={model} context={context} />
          <Ids model={model} context={context} />
        </Panel>
      </Panels>
      {letter ? <Whole model={model} letter={letter} /> : null}
    </>
  );
};

interface Props {
  readonly model: MessageModel;
  readonly context: ViewContext;
}

function MessageNotices({ model, context }: Props) {
  const { hasLeft, copies, copy, holds, deadQueue } = model;
  const here = `${context.base}${messagePath(model)}`;
  return (
    <>
      {hasLeft ? (
        <Notice tone="warn" title="It is not a dead letter any more">
          <p>It was replayed or forgotten. What is shown here was read before.</p>
        </Notice>
      ) : null}
      {holds ? (
        <Notice tone="warn" title={`An operation works on ${deadQueue}`}>
          <p>
            <OperationLink operation={holds} context={context} /> by{' '}
            <OperationBy operation={holds} context={context} />. Letters of this queue are read, and acted on,
            once it is over.
          </p>
        </Notice>
      ) : null}
      {copies > 1 ? (
        <Notice tone="quiet" title={`${countedText(copies, 'copy', 'copies')} of it are in ${deadQueue}`}>
          <p>
            This is the {copy + 1}. What is done here is done to all of them.{' '}
            {copy + 1 < copies ? (
              <a href={`${here}?copy=${copy + 1}`}>The next</a>
            ) : (
              <a href={here}>The first</a>
            )}
          </p>
        </Notice>
      ) : null}
    </>
  );
}

/** In place of what only the letter itself tells. */
function Waiting({ model: { state, problem, holds } }: Pick<Props, 'model'>) {
  if (state === 'failed')
    return (
      <Notice tone="bad" title="It could not be read">
        <p>{problem}</p>
      </Notice>
    );
  if (state === 'gone') return <p>It is not in its queue any more, or another consumer holds it.</p>;
  return (
    <p aria-busy="true">
      {holds
        ? 'It is read once the operation on its queue is over.'
        : 'Being read: one pass through its queue. Without script, load the page again in a moment.'}
    </p>
  );
}

const Place = ({ model: { queue, deadQueue, row, bytes }, context: { base } }: Props) => (
  <KeyValue
    of={[
      [
        'Queue',
        queue === undefined ? undefined : (
          <a key="queue" href={`${base}${queuePath(queue)}`}>
            {queue}
          </a>
        ),
      ],
      ['Dead letter in', deadQueue],
      ['Handler', row?.handler],
      ['Routing key', row?.routingKey],
      ['Size', bytes === undefined ? undefined : <Bytes key="bytes" value={bytes} />],
    ]}
  />
);

/** Error, body and headers. */
const Whole = ({
  model,
  letter,
}: {
  readonly model: MessageModel;
  readonly letter: NonNullable<MessageModel['letter']>;
}) => (
  <>
    {letter.error === undefined && letter.stack === undefined ? null : (
      <Panel title="Error" wide>
        <Code label="Stack" text={letter.stack ?? letter.error ?? ''} copy />
        {letter.isErrorCut ? <p>Cut here. {FULL(model.id)}</p> : null}
      </Panel>
    )}
    <BodyView model={model} body={letter.body} />
    <Panels>
      <FieldsView title="Headers" fields={letter.headers} empty="The publisher has set none." />
      <FieldsView title="Properties" fields={letter.properties} empty="The publisher has set none." />
    </Panels>
  </>
);

const FULL = (id: string): string => `hopline failed show ${id} prints all of it.`;
