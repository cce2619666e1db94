import { type GroupMark, SAID_STATES } from '../../../failures/groups/group.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { wholeGroup, withIndex } from '../../dead-letters/letter-index.js';
import { whoAmI } from '../../dead-letters/run-operation.js';
import { UsageError } from '../../usage-error.js';

interface Flags extends TargetFlags {
  readonly state?: string;
  readonly note?: string;
}

/** `hopline failed mark`: says something of a group, for all operators. */
export const define: DefineCommand = (command, { terminal }) => {
  command.argument('<group>', 'its id, or the beginning of it, as `hopline failed groups` lists them');
  withTarget(command)
    .option(
      '--state <state>',
      'open; seen: somebody is at it; resolved: it is mended, and a later failure makes it `back`',
    )
    .option('--note <text>', "what others should know; '' removes it")
    .action(async (given: string, flags: Flags) => {
      const mark = markOf(flags);
      await withDeadLetters(flags, terminal, ({ failures }) =>
        withIndex(failures, async (index) => {
          const id = await wholeGroup(index, given);
          await index.mark(id, mark, whoAmI());
          const { state = 'open', note } = (await index.group(id)) ?? mark;
          terminal.print(`group ${id} is ${state}${note ? `: ${note}` : ''}`);
        }),
      );
    });
};

/** @throws UsageError */
function markOf({ state, note }: Flags): GroupMark {
  if (state === undefined && note === undefined)
    throw new UsageError('what is to be noted?', 'Give --state, --note, or both');
  const known = SAID_STATES.find((each) => each === state);
  if (state !== undefined && !known)
    throw new UsageError(`--state is '${state}'`, `It may be ${SAID_STATES.join(', ')}`);
  return { ...(known ? { state: known } : {}), ...(note === undefined ? {} : { note }) };
}
