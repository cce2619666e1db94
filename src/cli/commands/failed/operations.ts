import type { Operation } from '../../../failures/operations/operation.js';
import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { howFar, operationsOf } from '../../dead-letters/run-operation.js';
import { printTable } from '../../output/table.js';
import { oneLine, timeText } from '../../output/text.js';

interface Flags extends TargetFlags {
  readonly json?: boolean;
}

/** `hopline failed operations`: what operators do with dead letters, and have done of late. */
export const define: DefineCommand = (command, { terminal }) => {
  withTarget(command)
    .option('--json', 'one JSON array; the fields are those of Operation')
    .action(async (flags: Flags) => {
      const all = await withDeadLetters(flags, terminal, ({ failures }) => operationsOf(failures).list());
      if (flags.json) return await terminal.write(`${JSON.stringify(all, undefined, 2)}\n`);
      const head = ['id', 'what', 'state', 'by', 'since', 'of', 'how far'];
      if (all.length > 0) printTable(terminal, head, all.map(rowOf), head.length - 1);
      else terminal.tell('no operations in the last week');
    });
};

function rowOf(its: Operation): string[] {
  const { id, kind, state, by, startedAt, selection, why } = its;
  const of = 'group' in selection ? `group ${selection.group}` : selection.deadQueue;
  const far = why === undefined ? howFar(its) : `${howFar(its)}; ${why}`;
  return [id, kind, state, by, timeText(new Date(startedAt)), of, oneLine(far)];
}
