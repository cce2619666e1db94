import { type TargetFlags, withTarget } from '../../broker/target.js';
import type { DefineCommand } from '../../command.js';
import { withDeadLetters } from '../../dead-letters/dead-letter-session.js';
import { operationsOf, whoAmI } from '../../dead-letters/run-operation.js';

/** `hopline failed stop`: asks for an operation to end, wherever it runs. */
export const define: DefineCommand = (command, { terminal }) => {
  command.argument('<operation>', 'its id, as `hopline failed operations` prints it');
  withTarget(command).action(async (id: string, flags: TargetFlags) => {
    await withDeadLetters(flags, terminal, ({ failures }) => operationsOf(failures).stop(id, whoAmI()));
    terminal.print(`${id} is asked to stop: letters under way are finished, the others stay`);
  });
};
