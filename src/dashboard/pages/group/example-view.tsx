import { Panel } from '../../ui/page-head.js';
import { Code } from '../../ui/text-blocks.js';
import { messagePath } from '../addresses.js';
import type { ViewContext } from '../view.js';
import type { ExampleModel, GroupModel } from './model.js';

interface Props {
  readonly model: GroupModel;
  readonly context: ViewContext;
}

/** The latest failure, whole: the others differ from it in numbers and ids. */
export function Example({ model: { example, holds }, context }: Props) {
  if (!example) return null;
  return (
    <Panel
      wide
      title="The latest of them"
      aside={<a href={`${context.base}${messagePath(example.letter)}`}>The message</a>}
    >
      <Code label="Error" text={example.stack ?? example.error ?? 'Nothing was thrown.'} copy />
      {example.isCut ? <p>Cut: the message's dead letter has all of it.</p> : null}
      <p class="quiet">{READ[example.state](example, holds !== undefined)}</p>
    </Panel>
  );
}

const READ: Readonly<Record<ExampleModel['state'], (example: ExampleModel, isHeld: boolean) => string>> = {
  read: ({ stack }) => (stack === undefined ? 'It has no stack.' : ''),
  reading: (_, isHeld) =>
    isHeld
      ? 'Its stack is read once the operation on its queue is over.'
      : 'Its stack is being read: one pass through its queue.',
  gone: () => 'It is not in its queue any more.',
  failed: ({ problem }) => `Its stack could not be read: ${problem}`,
};
