import type { FailureGroup } from '../../../failures/groups/group.js';
import { lettersText } from '../../../failures/letters/letters-text.js';
import { countText, numberText } from '../../../util/text/count-text.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { withIndex } from '../../dead-letters/letter-index.js';
import { printTable } from '../../output/table.js';
import { timeText } from '../../output/text.js';

interface Flags extends TargetFlags {
  readonly json?: boolean;
}

/** `hopline failed groups`: the dead letters by how they failed. Takes nothing and changes nothing. */
export const define: DefineCommand = (command, { terminal }) => {
  withTarget(command)
    .option('--json', 'one JSON array; the fields are those of FailureGroup')
    .action(async (flags: Flags) => {
      await withDeadLetters(flags, terminal, ({ failures }) =>
        withIndex(failures, async (index) => {
          const groups = await index.groups();
          const { letters, leftOut } = index.state;
          if (flags.json) {
            await terminal.write(`${JSON.stringify(groups, undefined, 2)}\n`);
            return;
          }
          if (groups.length > 0) printTable(terminal, HEAD, groups.map(rowOf), HEAD.length - 1);
          const rest = leftOut > 0 ? `; ${numberText(leftOut)} more had no room` : '';
          terminal.tell(`${lettersText(letters)} in ${countText(groups.length, 'group')}${rest}`);
        }),
      );
    });
};

const HEAD = ['group', 'count', 'last failed at', 'state', 'handler', 'error'];

function rowOf({ id, count, lastAt, state, handler, kind, message, note }: FailureGroup): string[] {
  const error = message === '' ? kind : `${kind}: ${message}`;
  const noted = note === undefined ? '' : ` (${note})`;
  return [id, numberText(count), timeText(lastAt), state, handler, `${error}${noted}`];
}
