import { Notice } from '../../ui/notice.js';
import { Panel } from '../../ui/page-head.js';
import { Badge } from '../../ui/state.js';
import { Code } from '../../ui/text-blocks.js';
import type { BodyModel, MessageModel } from './model.js';

interface Props {
  readonly model: Pick<MessageModel, 'id' | 'bytes'>;
  readonly body: BodyModel;
}

const FORMS = { json: 'JSON', text: 'Text', bytes: 'Bytes, in hexadecimal' };

/** The body as text, as much of it as a page can bear. */
export function BodyView({ model: { id, bytes }, body }: Props) {
  if (body.form === 'closed')
    return (
      <Panel title="Body" wide>
        <Notice tone="quiet" title="The body is closed">
          <p>{body.problem}</p>
        </Notice>
      </Panel>
    );
  if (body.form === 'empty')
    return (
      <Panel title="Body" wide>
        <p class="quiet">It is empty.</p>
      </Panel>
    );
  return (
    <Panel title="Body" wide aside={body.wasEncrypted ? <Badge>was encrypted</Badge> : undefined}>
      <Code
        label={FORMS[body.form]}
        text={body.text}
        copy
        cut={body.isCut && bytes !== undefined ? { bytes } : undefined}
      />
      {body.isCut ? (
        <p class="quiet">
          <code>hopline failed show {id} --raw</code> writes all of it, byte for byte.
        </p>
      ) : null}
    </Panel>
  );
}
